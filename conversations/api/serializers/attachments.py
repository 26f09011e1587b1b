"""Files and ratings as the API shows them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from rest_framework import serializers

from conversations.api.serializers.fields import Answer, TimeField, written
from conversations.api.serializers.messages import FileSerializer
from conversations.models import Attachment, Feedback

ATTACHMENT_ROWS = ("message", "owner")
FEEDBACK_ROWS = ("message", "user")
"""What the rows that are shown must have joined (select_related)."""


class AttachmentSerializer(FileSerializer):
    """A file that somebody attached or that an answer brought."""

    key = "id"

    owner = serializers.CharField(help_text="The username of whose it is.")
    message = serializers.UUIDField(allow_null=True, help_text="The message that carries it; null until it is sent.")
    conversation = serializers.UUIDField(allow_null=True)
    sha256 = serializers.CharField(allow_null=True, help_text="Hash of its bytes in hex; null until it is ready.")
    width = serializers.IntegerField(allow_null=True, help_text="Pixels, of an image.")
    height = serializers.IntegerField(allow_null=True)
    failure = serializers.CharField(allow_null=True, help_text="Why it could not be kept.")
    can_retry = serializers.BooleanField(help_text="It can be fetched from the provider once more.")
    address = serializers.CharField(help_text="Where its bytes are: s3://bucket/key, or a path below the files folder.")
    created_at = TimeField()


class FeedbackSerializer(Answer):
    """What its owner thinks of an answer."""

    key = "message"

    message = serializers.UUIDField()
    conversation = serializers.UUIDField()
    user = serializers.CharField(help_text="The username of who rates it.")
    rating = serializers.ChoiceField(Feedback.Rating.choices)
    reason = serializers.CharField(help_text="Empty where none was given.")
    created_at = TimeField()
    updated_at = TimeField()


def show_attachments(attachments: Sequence[Attachment], *, only: Collection[str] | None = None) -> list[dict[str, Any]]:
    """Return files as JSON, in this order. The rows have ATTACHMENT_ROWS joined; no query is made."""
    rows = [
        {
            "id": file.pk,
            "name": file.name,
            "content_type": file.content_type,
            "size": file.size,
            "origin": file.origin,
            "state": file.state,
            "owner": file.owner.username,
            "message": file.message_id,
            "conversation": file.message.conversation_id if file.message else None,
            "sha256": file.sha256 or None,
            "width": file.width,
            "height": file.height,
            "failure": file.failure or None,
            "can_retry": file.can_retry,
            "address": file.address,
            "created_at": file.created_at,
        }
        for file in attachments
    ]
    return written(AttachmentSerializer, rows, only)


def show_feedback(ratings: Sequence[Feedback], *, only: Collection[str] | None = None) -> list[dict[str, Any]]:
    """Return ratings as JSON, in this order. The rows have FEEDBACK_ROWS joined; no query is made."""
    rows = [
        {
            "message": rating.message_id,
            "conversation": rating.message.conversation_id,
            "user": rating.user.username,
            "rating": rating.rating,
            "reason": rating.reason,
            "created_at": rating.created_at,
            "updated_at": rating.updated_at,
        }
        for rating in ratings
    ]
    return written(FeedbackSerializer, rows, only)
