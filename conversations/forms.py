"""What pages send. The services decide what is acceptable; forms carry the text back with the reason beside it."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlencode
from uuid import UUID, uuid4

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.core.validators import MaxValueValidator, MinValueValidator

from conversations.history import KnownAssistant
from conversations.models import Assistant, Attachment, Conversation, LanguageModel
from conversations.services import Refused
from conversations.text import clean_text, is_blank

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from accounts.models import User

STALE_PAGE = "This page was out of date. Your text is kept: send it again."
FIRST_DAY, LAST_DAY = datetime.date(1970, 1, 1), datetime.date(2999, 12, 31)
NO_DAY = "That is no day to look from or to. Write it as 2026-03-31, or choose it from the calendar."
NO_PAGE = "There is no such page of results."


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


class ReasonedForm(forms.Form):
    """A form that says why it cannot be used."""

    def problems(self) -> list[str]:
        """Return every reason, of whichever field, once each."""
        return list(dict.fromkeys(str(reason) for reasons in self.errors.values() for reason in reasons))


class ServiceForm(ReasonedForm):
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
    """A message in a conversation.

    `after` is the last message that the page shows; `parent` the one to go on from, where that is on another path than
    the current one.
    """

    after = forms.UUIDField(required=False, error_messages={"invalid": STALE_PAGE})
    parent = forms.UUIDField(required=False, error_messages={"invalid": STALE_PAGE})


class AnswererForm(ServiceForm):
    """Who is to answer: an assistant, and a model in place of its own. Left out, nothing changes."""

    assistant = forms.ModelChoiceField(
        queryset=Assistant.objects.none(),
        required=False,
        to_field_name="slug",
        error_messages={"invalid_choice": "This assistant is not available. Choose another one."},
    )
    model = forms.ModelChoiceField(
        queryset=LanguageModel.objects.none(),
        required=False,
        to_field_name="name",
        error_messages={"invalid_choice": "This model is not available. Choose another one."},
    )

    def __init__(self, *args: Any, user: User, conversation: Conversation, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        now = conversation.model
        chosen = LanguageModel.objects.filter(pk=now.pk if now else 0, is_enabled=True)
        self.assistants = Assistant.objects.visible_to(user).select_related("model")
        self.models = LanguageModel.objects.offered() | chosen
        _offer(self, "assistant", self.assistants)
        _offer(self, "model", self.models)
        self.initial = {"assistant": conversation.assistant.slug, "model": now.name if now else "", **self.initial}

    def chosen(self) -> dict[str, Any]:
        """Return who is to answer, as services take it."""
        return {name: self.cleaned_data[name] for name in ("assistant", "model")}


class EditForm(ComposerForm, AnswererForm):
    """Another wording of a prompt. `keep` names those of its files that the new one carries as well."""

    keep = IdsField(required=False)


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
        _offer(self, "assistant", Assistant.objects.visible_to(user))


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


class FindForm(ReasonedForm):
    """What to look for, as it stands in the address: words, who answers, and days, of which the last is included."""

    q = TextField(required=False)
    page = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=1000,
        error_messages=dict.fromkeys(("invalid", "min_value", "max_value"), NO_PAGE),
    )

    def __init__(self, assistants: Sequence[KnownAssistant], data: Mapping[str, Any]) -> None:
        super().__init__(data)
        self.assistants = assistants
        for name in ("from", "to"):  # the first one can be no attribute
            self.fields[name] = forms.DateField(
                required=False,
                validators=[MinValueValidator(FIRST_DAY, NO_DAY), MaxValueValidator(LAST_DAY, NO_DAY)],
                error_messages={"invalid": NO_DAY},
            )
        self.fields["assistant"] = forms.ChoiceField(
            required=False,
            choices=[(assistant.slug, assistant.name) for assistant in assistants],
            error_messages={"invalid_choice": "None of your conversations is with this assistant. Choose another one."},
        )

    def clean(self) -> dict[str, Any]:
        """Refuse days in the wrong order."""
        data = self.cleaned_data
        if data.get("from") and data.get("to") and data["from"] > data["to"]:
            raise forms.ValidationError("The first day is after the last one. Change one of them.")
        return data

    @property
    def query(self) -> str:
        """The words to search for, empty where there are none."""
        words = clean_text(self.cleaned_data["q"])
        return "" if is_blank(words) else words.strip()

    @property
    def assistant_id(self) -> int | None:
        slug = self.cleaned_data["assistant"]
        return next((assistant.id for assistant in self.assistants if assistant.slug == slug), None)

    @property
    def is_filtered(self) -> bool:
        """Whether anything but words narrows what is found."""
        return any(self[name].value() for name in ("assistant", "from", "to"))

    def address_query(self, **more: str) -> str:
        """Return the query of an address that asks for the same, and for `more`."""
        asked = {name: str(self[name].value() or "") for name in ("q", "assistant", "from", "to")}
        return urlencode({name: value for name, value in asked.items() if value} | more)


def _offer(form: forms.Form, name: str, rows: QuerySet[Any]) -> None:
    """Give a field choices of its own for each person: Django copies the declared one into `form.fields`."""
    cast("forms.ModelChoiceField[Any]", form.fields[name]).queryset = rows
