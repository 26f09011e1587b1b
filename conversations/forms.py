"""What pages send. The services decide what is acceptable; forms carry the text back with the reason beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID, uuid4

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile

from conversations.models import Assistant, Attachment
from conversations.services import Refused

if TYPE_CHECKING:
    from accounts.models import User

STALE_PAGE = "This page was out of date. Your text is kept: send it again."


class TextField(forms.Field):
    """Text exactly as typed: Django's CharField would refuse U+0000, which the services replace."""

    def to_python(self, value: Any) -> str:
        return "" if value is None else str(value).replace("\r\n", "\n")


class IdsField(forms.Field):
    """Ids of rows, as many as were sent. Whose they are is for the service to see."""

    widget = forms.MultipleHiddenInput

    def to_python(self, value: Any) -> list[UUID]:
        try:
            return [UUID(text) for text in value or ()]
        except ValueError:
            raise forms.ValidationError(STALE_PAGE) from None


class FilesInput(forms.FileInput):
    allow_multiple_selected = True


class FilesField(forms.Field):
    """Files of a form that was sent without scripts. What they are is for the service to judge."""

    widget = FilesInput

    def to_python(self, value: Any) -> list[UploadedFile[Any]]:
        return list(value or ())


class ServiceForm(forms.Form):
    """A form whose judge is a service."""

    status = 200
    retry_after: int | None = None

    def is_valid(self) -> bool:
        valid = super().is_valid()
        self.status = 200 if valid else 422
        return valid

    def refuse(self, refused: Refused) -> None:
        """Show why the service refused; `status` and `retry_after` become the response's."""
        self.add_error(None, refused.message)
        self.status, self.retry_after = refused.status, refused.retry_after

    def typed(self, name: str) -> str:
        """Return the field's text as it was sent, or what the form began with."""
        return str(self[name].value() or "")

    def problems(self) -> list[str]:
        """Return every reason, of whichever field, once each."""
        return list(dict.fromkeys(str(reason) for reasons in self.errors.values() for reason in reasons))


class ComposerForm(ServiceForm):
    """A message to send, with the token that makes a double submit one message."""

    prompt = TextField(required=False)
    client_token = forms.UUIDField(error_messages={"required": STALE_PAGE, "invalid": STALE_PAGE})
    attachments = IdsField(required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["files"] = FilesField(required=False)  # as an attribute it would hide those of the request
        self.kept: Sequence[Attachment] = ()
        """Files of a refused message, which the composer goes on showing."""

    def clean_files(self) -> list[UploadedFile[Any]]:
        """Refuse too many before any of them is stored."""
        files: list[UploadedFile[Any]] = self.cleaned_data["files"]
        count = len(files) + len(self.cleaned_data.get("attachments", ()))
        if files and count > settings.MAX_FILES_PER_MESSAGE:
            raise forms.ValidationError(
                f"You attached {count} files; one message can carry {settings.MAX_FILES_PER_MESSAGE}. Choose fewer."
            )
        return files

    def next_token(self) -> str:
        """Return the token of the composer to draw: a used one must not come back, it may belong to another text."""
        return str(uuid4())


class PromptForm(ComposerForm):
    """A message in a conversation. `after` is the last message that the page shows."""

    after = forms.UUIDField(required=False)


class StartForm(ComposerForm):
    """The first message of a conversation, and who is to answer it."""

    assistant = forms.ModelChoiceField(
        queryset=Assistant.objects.none(),
        to_field_name="slug",
        error_messages={
            "required": "Choose who is to answer.",
            "invalid_choice": "This assistant is not available. Choose another one; your text is kept.",
        },
    )

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # A field with choices of its own for each person: Django copies the declared one into `self.fields`.
        cast("forms.ModelChoiceField[Assistant]", self.fields["assistant"]).queryset = Assistant.objects.visible_to(
            user
        )


class RenameForm(ServiceForm):
    """A conversation's new title."""

    title = TextField(required=False)
    shown = TextField(required=False)
    """The title that the page showed; forms made elsewhere may leave it out."""

    def shown_title(self) -> str | None:
        """Return it, None where the form did not say."""
        return self.cleaned_data["shown"] if "shown" in self.data else None


class RatingForm(ServiceForm):
    """What somebody thinks of an answer: up, down, or nothing any more."""

    rating = TextField(required=False)
    reason = TextField(required=False)


class SeenForm(ServiceForm):
    """The last message of a page whose end was seen."""

    last = forms.UUIDField(required=False)
