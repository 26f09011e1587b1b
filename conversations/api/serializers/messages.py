"""Messages as the API shows them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from rest_framework import serializers

from conversations.api.serializers.fields import Answer, MoneyField, TimeField, is_wanted, written
from conversations.models import Attachment, Generation, Message
from conversations.presentation import calls_of, files_of, live_texts
from conversations.usage import Usage, usage_of

MESSAGE_ROWS = ("assistant", "conversation__assistant")
"""What the rows that are shown must have joined (select_related)."""


class ErrorSerializer(Answer):
    """Why an answer failed."""

    code = serializers.CharField(help_text="A code, such as rate_limited.")
    message = serializers.CharField(help_text="The same for people.")


FILE_STATES = [state for state in Attachment.State.choices if state[0] != Attachment.State.DELETED]
"""Those in which others see a file."""


class FileSerializer(Answer):
    """A file of a message."""

    id = serializers.UUIDField()
    name = serializers.CharField(help_text="As it was given; data, never a path.")
    content_type = serializers.CharField(help_text="The type that its bytes were found to have.")
    size = serializers.IntegerField(allow_null=True, help_text="Bytes; null until it is ready.")
    origin = serializers.ChoiceField(Attachment.Origin.choices, help_text="Who made it.")
    state = serializers.ChoiceField(
        FILE_STATES,
        help_text="Its bytes can be had when it is ready.",
    )


class UsageSerializer(Answer):
    """What the model calls of an answer used, all steps and tries together."""

    input_tokens = serializers.IntegerField()
    output_tokens = serializers.IntegerField()
    total_tokens = serializers.IntegerField()
    cost = MoneyField(allow_null=True, help_text="US dollars; null: unknown.")
    is_estimated = serializers.BooleanField(help_text="The provider did not tell, as of an answer that was stopped.")


class MessageSerializer(Answer):
    """A prompt or an answer."""

    key = "id"

    id = serializers.UUIDField()
    conversation = serializers.UUIDField()
    parent = serializers.UUIDField(  # type: ignore[assignment]  # a field here, not the serializer around it
        allow_null=True, help_text="The message before it; siblings are edits and retries."
    )
    role = serializers.ChoiceField(Message.Role.choices)
    status = serializers.ChoiceField(
        Message.Status.choices, help_text="A prompt is completed. An answer is waited for while queued or streaming."
    )
    text = serializers.CharField(help_text="All of it; of a running answer what there is so far.")
    activity = serializers.CharField(
        help_text="What a running answer is doing, such as searching; missing when there is nothing to tell."
    )
    created_at = TimeField()
    finished_at = TimeField(allow_null=True)
    error = ErrorSerializer(allow_null=True)
    files = FileSerializer(many=True)
    usage = UsageSerializer(allow_null=True, help_text="Null where no model was called, or its call is under way.")
    model = serializers.CharField(allow_null=True, help_text="The model that was asked, by its name.")
    assistant = serializers.CharField(allow_null=True, help_text="The slug of who answered; null for prompts.")
    supplied = serializers.BooleanField(
        help_text="A program told it as what was said before, no model was called for it here; missing otherwise."
    )


def show_messages(messages: Sequence[Message], *, only: Collection[str] | None = None) -> list[dict[str, Any]]:
    """Return messages as JSON, in this order, in three queries at most; `only` names the fields that are wanted.

    The rows have MESSAGE_ROWS joined. The text of an answer that is being written is what there is so far.
    """
    ids = [message.pk for message in messages]
    answers = [message.pk for message in messages if message.role == Message.Role.ASSISTANT]
    running = [message.pk for message in messages if message.is_running and message.has_begun]
    texts = live_texts(running) if is_wanted(only, "text") else None
    calls = calls_of(answers) if is_wanted(only, "usage", "model") else {}
    files = files_of(ids) if is_wanted(only, "files") else {}
    rows = [_row(one, texts, calls.get(one.pk, []), files.get(one.pk, [])) for one in messages]
    return written(MessageSerializer, rows, only)


def show_message(message: Message, *, only: Collection[str] | None = None) -> dict[str, Any]:
    """Return one message as JSON, like `show_messages`."""
    return show_messages([message], only=only)[0]


def _row(
    message: Message, texts: dict[UUID, str] | None, calls: list[Generation], files: list[Attachment]
) -> dict[str, Any]:
    is_answer = message.role == Message.Role.ASSISTANT
    activity = {"activity": message.activity} if message.is_running and message.activity else {}
    supplied = {"supplied": True} if message.is_supplied else {}
    return (
        activity
        | supplied
        | {
            "id": message.pk,
            "conversation": message.conversation_id,
            "parent": message.parent_id,
            "role": message.role,
            "status": message.status,
            "text": _text(message, texts),
            "created_at": message.created_at,
            "finished_at": message.finished_at,
            "error": {"code": message.error_code, "message": message.error_text} if message.error_code else None,
            "files": files,
            "usage": show_usage(usage_of(calls)),
            "model": calls[-1].model_asked if calls else None,
            "assistant": (message.assistant or message.conversation.assistant).slug if is_answer else None,
        }
    )


def show_usage(usage: Usage) -> dict[str, Any] | None:
    """Return sums over model calls for a UsageSerializer; None where none of them used anything."""
    if not usage.has_usage:
        return None
    return {
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "total_tokens": usage.tokens,
        "cost": _cost(usage),
        "is_estimated": usage.is_estimated or usage.is_uncounted,
    }


def _text(message: Message, live: dict[UUID, str] | None) -> str:
    """What is not wanted is not touched: it may not have been read with its row."""
    if live is None:
        return ""
    return live.get(message.pk, "") if message.is_running else message.text


def _cost(usage: Usage) -> Decimal | None:
    """What is known in full: a part of it would pass for all."""
    if usage.is_free:
        return Decimal(0)
    return None if usage.is_unpriced else usage.cost
