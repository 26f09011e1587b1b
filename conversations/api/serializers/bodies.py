"""What requests may say in their bodies. The services judge it; here it has its type, and nothing else is there."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from conversations.models import Feedback
from conversations.text import clean_text
from rest.serializers import StrictSerializer


@extend_schema_field({"type": "string"})
class TextField(serializers.Field):  # type: ignore[type-arg]
    """Text exactly as it was sent, cleaned as the record keeps it. Numbers are no text."""

    default_error_messages = {"invalid": "This must be text."}

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return clean_text(data.replace("\r\n", "\n"))

    def to_representation(self, value: Any) -> str:
        return str(value)


class ConversationChangeSerializer(StrictSerializer):
    """What is to change. What is left out stays."""

    title = TextField(required=False)
    pinned = serializers.BooleanField(required=False)
    assistant = TextField(required=False, help_text="The slug of who answers from the next prompt on.")
    model = TextField(
        required=False, allow_null=True, help_text="The name of a model in place of the assistant's own; null: its own."
    )


class FeedbackChangeSerializer(StrictSerializer):
    """What is thought of an answer."""

    rating = serializers.ChoiceField(Feedback.Rating.choices)
    reason = TextField(
        required=False, help_text="Why, in up to 1,000 characters; left out, the one given before stays."
    )


class UploadSerializer(StrictSerializer):
    """One file, as a part of a form."""

    file = serializers.FileField(allow_empty_file=True, help_text="Its name tells its kind.")
