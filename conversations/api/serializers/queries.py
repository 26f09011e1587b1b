"""What addresses may ask. Anything else in them is refused with its name, and what is said twice too."""

from __future__ import annotations

import datetime
from typing import Any

from rest_framework import serializers

from conversations.models import Attachment, Conversation, Feedback, Message
from rest.serializers import StrictSerializer

MOST_DAYS = 366


class TruthField(serializers.BooleanField):
    """true or false, and no other word for them."""

    TRUE_VALUES = {"true"}
    FALSE_VALUES = {"false"}

    def to_internal_value(self, data: Any) -> bool:
        if data not in ("true", "false"):
            self.fail("invalid", input=data)
        return bool(data == "true")


class MomentField(serializers.DateTimeField):
    """A moment in ISO 8601; without a zone it is one of UTC."""

    def __init__(self, **options: Any) -> None:
        super().__init__(default_timezone=datetime.UTC, **options)


class SparseQuery(StrictSerializer):
    """Of one thing."""

    fields_ = serializers.CharField(
        required=False, max_length=500, help_text="Only these fields, with commas between them: smaller answers."
    )

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Return the fields; `fields` and `from` cannot be attributes."""
        return {name.rstrip("_"): field for name, field in super().get_fields().items()}


class EveryoneQuery(StrictSerializer):
    """Whose rows are meant."""

    everyone = TruthField(
        required=False,
        help_text="What others wrote as well: for tokens with the scope read_all of people who may review "
        "conversations. Each reading is audited.",
    )


class RecordQuery(SparseQuery, EveryoneQuery):
    """Of something that is somebody's."""


class PageQuery(RecordQuery):
    """Of a list."""

    limit = serializers.IntegerField(required=False, min_value=1, max_value=200, help_text="Rows of a page; 50.")
    cursor = serializers.CharField(required=False, max_length=500, help_text="Of `next` or `previous`.")


class OpenPageQuery(SparseQuery):
    """Of a list that is nobody's own."""

    limit = serializers.IntegerField(required=False, min_value=1, max_value=200, help_text="Rows of a page; 50.")
    cursor = serializers.CharField(required=False, max_length=500, help_text="Of `next` or `previous`.")


class ConversationQuery(PageQuery):
    state = serializers.ChoiceField(Conversation.State.choices, required=False)
    assistant = serializers.CharField(required=False, max_length=50, help_text="The slug of who answers next.")
    owner = serializers.CharField(required=False, max_length=150, help_text="A username; with everyone=true alone.")
    updated_after = MomentField(required=False, help_text="Something was said in it after this moment.")
    updated_before = MomentField(required=False)
    pinned = TruthField(required=False)
    deleted = TruthField(required=False, help_text="true: only those that were deleted and can be restored.")
    q = serializers.CharField(
        required=False,
        max_length=300,
        trim_whitespace=True,
        help_text='Words that are searched for, like those of search engines: words, "a phrase", or, -without. The '
        "best comes first; each has `match`.",
    )


class MessageQuery(PageQuery):
    conversation = serializers.UUIDField(required=False)
    role = serializers.ChoiceField(Message.Role.choices, required=False)
    status = serializers.ChoiceField(Message.Status.choices, required=False)
    created_after = MomentField(required=False)
    created_before = MomentField(required=False)


class PathQuery(PageQuery):
    path = serializers.ChoiceField(
        [("current", "The path that is shown"), ("all", "All versions")],
        required=False,
        help_text="current: one message after the other as the page shows them. all: with edits and retries as well; "
        "`parent` tells what follows what.",
    )


class FeedbackQuery(PageQuery):
    conversation = serializers.UUIDField(required=False)
    rating = serializers.ChoiceField(Feedback.Rating.choices, required=False)
    updated_after = MomentField(required=False)
    updated_before = MomentField(required=False)


class AttachmentQuery(PageQuery):
    conversation = serializers.UUIDField(required=False)
    message = serializers.UUIDField(required=False)
    origin = serializers.ChoiceField(Attachment.Origin.choices, required=False)
    state = serializers.ChoiceField(
        [choice for choice in Attachment.State.choices if choice[0] != Attachment.State.DELETED], required=False
    )
    unsent = TruthField(required=False, help_text="true: only uploads that wait for their message.")


class UsageQuery(StrictSerializer):
    from_ = serializers.DateField(required=False, help_text="The first day; 30 days back.")
    to_ = serializers.DateField(required=False, help_text="The last day; today.")
    by = serializers.ChoiceField(
        [("day", "Day"), ("month", "Month"), ("model", "Model"), ("day,model", "Both"), ("month,model", "Both")],
        required=False,
        help_text="What a row stands for; a day and a model.",
    )
    model = serializers.CharField(required=False, max_length=100, help_text="Of this model alone.")

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Return the fields; `from` cannot be an attribute."""
        return {name.rstrip("_"): field for name, field in super().get_fields().items()}
