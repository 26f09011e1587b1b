"""Opening a call for an answer: what is sent is made from the record, and written to it before the request leaves."""

from __future__ import annotations

from typing import Any, NamedTuple
from uuid import UUID

from django.utils import timezone

from conversations.llm import ModelRequest, Turn, choose_window, estimate_tokens
from conversations.models import Generation, Message
from conversations.services.privacy import safety_identifier


class PlannedCall(NamedTuple):
    """What the record says of a call that is to be made: columns, since making objects of five rows takes time."""

    id: UUID
    response_id: str
    model_asked: str
    parameters: dict[str, Any]
    context_window: int
    max_output_tokens: int
    attempt: int
    owner_id: int
    parent_id: UUID
    conversation_id: UUID
    instructions: str
    assistant_parameters: dict[str, Any]


_COLUMNS = (
    "id",
    "response_id",
    "model_asked",
    "parameters",
    "model__context_window",
    "model__max_output_tokens",
    "message__attempt",
    "message__owner_id",
    "message__parent_id",
    "message__conversation_id",
    "message__conversation__assistant__instructions",
    "message__conversation__assistant__parameters",
)


def find_call(*, message_id: UUID) -> PlannedCall:
    """Return the newest call of an answer; a queued answer is committed with one."""
    newest = Generation.objects.filter(message_id=message_id).order_by("-id")
    return PlannedCall._make(newest.values_list(*_COLUMNS)[:1].get())


def open_call(call: PlannedCall, *, most_input: int | None = None) -> ModelRequest:
    """Note on the call that it is made now and what is sent, and return that. At most `most_input` tokens of input."""
    said = _said_before(call)
    turns = [Turn("user" if role == Message.Role.USER else "assistant", text) for _, role, text in said]
    reserve = min(call.max_output_tokens, call.context_window // 2)  # of the window, for the answer
    window = call.context_window if most_input is None else reserve + most_input
    omitted = choose_window(turns, instructions=call.instructions, context_window=window, reserve=reserve)
    request = ModelRequest(
        model=call.model_asked,
        instructions=call.instructions,
        turns=tuple(turns[omitted:]),
        parameters={"max_output_tokens": call.max_output_tokens} | call.assistant_parameters,
        safety_identifier=safety_identifier(call.owner_id),
    )
    Generation.objects.filter(pk=call.id).update(
        status=Generation.Status.RUNNING,
        started_at=timezone.now(),
        instructions=request.instructions,
        parameters=request.as_sent(),
        first_message=said[omitted][0] if omitted < len(said) else None,
        omitted_messages=omitted,
        # An estimate until the provider tells; it stands when the call is cut.
        input_tokens=estimate_tokens(request.instructions) + sum(estimate_tokens(turn.text) for turn in request.turns),
        usage_source=Generation.UsageSource.ESTIMATED,
    )
    return request


def _said_before(call: PlannedCall) -> list[tuple[UUID, str, str]]:
    """Return id, role and text along the path that the model is shown: prompts, and answers that have text."""
    messages = Message.objects.filter(conversation_id=call.conversation_id).order_by()
    known = {row[0]: row for row in messages.values_list("id", "parent", "role", "text")}
    path: list[tuple[UUID, str, str]] = []
    at: UUID | None = call.parent_id
    while at is not None:
        pk, at, role, text = known[at]
        if text:
            path.append((pk, role, text))
    return path[::-1]
