"""Messages for other programs: one on a line, with all that is on record of it, each character as it was said."""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Generator
from decimal import Decimal
from typing import Any

from conversations.exporting.rows import Chosen, Turn, read_turns
from conversations.models import Assistant, Attachment, Conversation, Feedback, Generation

PIECE = 128 * 1024  # characters
# Line breaks to some readers of lines, though none to JSON: written as escapes.
_BREAKS = re.compile("[\x85\u2028\u2029]")


def jsonl_pieces(chosen: Chosen) -> Generator[bytes, None, None]:
    """Yield a line of JSON for each message of the whole tree.

    Left out is what the owner's pages do not show either: instructions of assistants and details for administrators.
    """
    lines: list[str] = []
    size = 0
    for turn in read_turns(chosen):
        lines.append(line({"conversation": conversation_facts(turn.conversation)} | message_facts(turn)))
        size += len(lines[-1])
        if size > PIECE:
            yield "".join(lines).encode()
            lines, size = [], 0
    if lines:
        yield "".join(lines).encode()


def line(value: object) -> str:
    """Write a value on one line, with its line break. Ids, times and amounts become text."""
    written = json.dumps(value, ensure_ascii=False, default=_written)
    return _BREAKS.sub(lambda found: f"\\u{ord(found[0]):04x}", written) + "\n"


def _written(value: Any) -> str:
    match value:
        case datetime.datetime():
            return value.isoformat()
        case Decimal():
            return f"{value:f}"
    return str(value)


def message_facts(turn: Turn) -> dict[str, object]:
    """Return what is on record of a message, without its conversation."""
    message = turn.message
    return {
        "message_id": message.pk,
        "parent_id": message.parent_id,
        "copy_of": message.copy_of_id,
        "is_supplied": message.is_supplied,
        "options": message.options,
        "role": message.role,
        "status": message.status,
        "content": turn.text,
        "on_shown_path": turn.number is not None,
        "assistant": _assistant(message.assistant),
        "client_token": message.client_token,
        "attempt": message.attempt,
        "error_code": message.error_code,
        "error_text": message.error_text,
        "created_at": message.created_at,
        "finished_at": message.finished_at,
        "generations": [call_facts(call) for call in turn.calls],
        "attachments": [file_facts(file) for file in turn.files],
        "feedback": _feedback(turn.rating),
    }


def conversation_facts(conversation: Conversation) -> dict[str, object]:
    """Return what is on record of a conversation, without what was said in it."""
    return {
        "id": conversation.pk,
        "title": conversation.title,
        "state": conversation.state,
        "assistant": _assistant(conversation.assistant),
        "model": conversation.model.name if conversation.model else None,
        "continued_from": conversation.continued_from_id,
        "created_at": conversation.created_at,
        "last_activity_at": conversation.last_activity_at,
        "concluded_at": conversation.concluded_at,
        "concluded_by": conversation.concluded_by,
    }


def _assistant(assistant: Assistant | None) -> dict[str, object] | None:
    return {"slug": assistant.slug, "name": assistant.name} if assistant else None


_OF_CALLS = (
    "step", "attempt", "status", "model_asked", "model_answered", "parameters", "first_message_id",
    "omitted_messages", "response_id", "request_id", "input_tokens", "cached_tokens", "output_tokens",
    "reasoning_tokens", "usage_source", "finish_reason", "error_code", "created_at", "started_at", "first_text_at",
    "finished_at",
)  # fmt: skip


def call_facts(call: Generation) -> dict[str, object]:
    """Return what is on record of a model call, without what is for administrators alone."""
    known = {name: getattr(call, name) for name in _OF_CALLS}
    return {"id": call.pk, "model": call.model.name} | known | {"cost_usd": call.cost}


def file_facts(file: Attachment) -> dict[str, object]:
    """Return what is on record of a file."""
    is_ready = file.state == Attachment.State.READY
    return {
        "id": file.pk,
        "origin": file.origin,
        "state": file.state,
        "name": file.name,
        "content_type": file.content_type,
        "size": file.size,
        "sha256": file.sha256 or None,
        "address": file.address if is_ready else None,
        "width": file.width,
        "height": file.height,
        "failure": file.failure,
        "created_at": file.created_at,
        "ready_at": file.ready_at,
    }


def _feedback(rating: Feedback | None) -> dict[str, object] | None:
    if rating is None:
        return None
    return {
        "rating": rating.rating,
        "reason": rating.reason,
        "created_at": rating.created_at,
        "updated_at": rating.updated_at,
    }
