"""An answer in OpenAI's shapes: as a chat completion, and as a response ("Create a model response")."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from conversations.api.live.reader import Reader
from conversations.api.openai.asking import RESPONSE, Asked
from conversations.models import Generation, Message
from conversations.presentation import calls_of, live_texts
from conversations.usage import Usage, usage_of

if TYPE_CHECKING:
    from accounts.models import User

CHAT = "chatcmpl-"
_FINISHED = {"incomplete": "length", "refused": "content_filter", "stopped": "length"}
_STATUSES = {
    "queued": "queued",
    "streaming": "in_progress",
    "incomplete": "incomplete",
    "stopped": "cancelled",
    "failed": "failed",
    "interrupted": "failed",
}
FAILED = frozenset({Message.Status.FAILED, Message.Status.INTERRUPTED})


@dataclass(frozen=True, slots=True)
class Found:
    """An answer as it stands."""

    message: Message
    text: str
    calls: list[Generation]

    @property
    def usage(self) -> Usage | None:
        usage = usage_of(self.calls)
        return usage if usage.has_usage else None

    @property
    def reason(self) -> str:
        """Why it was cut off, as the provider says."""
        return self.calls[-1].finish_reason if self.calls else ""

    @property
    def slug(self) -> str:
        """Who answered."""
        return (self.message.assistant or self.message.conversation.assistant).slug


def find_answer(user: User, message_id: UUID) -> Found:
    """Return an answer of somebody's. Raises Message.DoesNotExist."""
    visible = Message.objects.visible_to(user).filter(role=Message.Role.ASSISTANT)
    message = visible.select_related("assistant", "conversation__assistant").get(pk=message_id)
    text = live_texts([message.pk]).get(message.pk, "") if message.is_running else message.text
    return Found(message, text, calls_of([message.pk]).get(message.pk, []))


def find_for(reader: Reader) -> Found | None:
    """Return the answer that somebody reads along; None where they may not see it any more."""
    try:
        return find_answer(reader.user, reader.message_id) if reader.is_let_in() else None
    except Message.DoesNotExist:
        return None


def finish_reason(found: Found) -> str:
    """Return why a chat completion ends."""
    if found.message.status == Message.Status.INCOMPLETE and found.reason == "content_filter":
        return "content_filter"
    return _FINISHED.get(found.message.status, "stop")


def completion(found: Found, asked: Asked) -> dict[str, Any]:
    """Return an answer that has ended as a chat completion."""
    is_refusal = found.message.status == Message.Status.REFUSED
    message: dict[str, Any] = {
        "role": "assistant",
        "content": None if is_refusal else found.text,
        "refusal": found.text if is_refusal else None,
        "annotations": [],
    }
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": finish_reason(found)}
    return {
        "id": CHAT + found.message.pk.hex,
        "object": "chat.completion",
        "created": created(found),
        "model": asked.model,
        "choices": [choice],
        "usage": chat_usage(found),
        "conversation": str(found.message.conversation_id),
    }


def chat_usage(found: Found) -> dict[str, Any] | None:
    """Return what a chat completion used; None where nothing is known."""
    usage = found.usage
    if usage is None:
        return None
    return {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cached_tokens},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
    }


def response(found: Found, asked: Asked | None = None) -> dict[str, Any]:
    """Return an answer as a response, however it stands; of one that is read later it is not known what was asked."""
    message, status = found.message, _STATUSES.get(found.message.status, "completed")
    is_failed = message.status in FAILED
    given: Mapping[str, Any] = asked.options.parameters if asked else {}
    error = {"code": message.error_code or "server_error", "message": message.error_text or "The answer broke off."}
    return {
        "id": RESPONSE + message.pk.hex,
        "object": "response",
        "created_at": created(found),
        "completed_at": int(message.finished_at.timestamp()) if message.finished_at else None,
        "status": status,
        "background": asked.is_background if asked else False,
        "error": error if is_failed else None,
        "incomplete_details": {"reason": _why(found)} if status == "incomplete" else None,
        "instructions": (asked.options.instructions or None) if asked else None,
        "max_output_tokens": given.get("max_output_tokens"),
        "model": asked.model if asked else found.slug,
        "output": [output_item(found)] if found.text or status == "completed" else [],
        "parallel_tool_calls": False,
        "previous_response_id": RESPONSE + asked.previous_id.hex if asked and asked.previous_id else None,
        "store": True,
        "temperature": given.get("temperature"),
        "text": {"format": {"type": "text"}},
        "tool_choice": "none",
        "tools": [],
        "top_p": given.get("top_p"),
        "truncation": "auto",
        "usage": _usage(found),
        "metadata": dict(asked.metadata) if asked else {},
        "conversation": {"id": str(message.conversation_id)},
    }


def output_item(found: Found) -> dict[str, Any]:
    """Return the message that a response brings."""
    status = {"completed": "completed", "refused": "completed"}.get(found.message.status, "incomplete")
    return {
        "id": item_id(found.message.pk),
        "type": "message",
        "status": "in_progress" if found.message.is_running else status,
        "role": "assistant",
        "content": [part(found.text, is_refusal=found.message.status == Message.Status.REFUSED)],
    }


def item_id(message_id: UUID) -> str:
    """Return the id of the message in a response."""
    return f"msg_{message_id.hex}"


def part(text: str, *, is_refusal: bool = False) -> dict[str, Any]:
    """Return a text as a part of a message."""
    if is_refusal:
        return {"type": "refusal", "refusal": text}
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def created(found: Found) -> int:
    """Return when it was asked for, in seconds of Unix time."""
    return int(found.message.created_at.timestamp())


def _why(found: Found) -> str:
    return "content_filter" if found.reason == "content_filter" else "max_output_tokens"


def _usage(found: Found) -> dict[str, Any] | None:
    usage = found.usage
    if usage is None:
        return None
    return {
        "input_tokens": usage.input_tokens,
        "input_tokens_details": {"cached_tokens": usage.cached_tokens},
        "output_tokens": usage.output_tokens,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
        "total_tokens": usage.tokens,
    }
