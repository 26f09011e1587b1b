"""A model call's end and its next try: how they are recorded, and what is left behind at the provider."""

from __future__ import annotations

import datetime
import json
from dataclasses import dataclass

from django.utils import timezone

from conversations.llm import ModelError, ModelRequest, Usage, estimate_tokens
from conversations.models import Generation, Message
from conversations.services import jobs
from conversations.services.accounting import book_usage, save_ended
from conversations.text import clean_text


@dataclass(frozen=True, slots=True)
class CallProgress:
    """What the provider had told of a call by the time it ended."""

    response_id: str = ""
    request_id: str = ""
    model: str = ""
    first_text_at: datetime.datetime | None = None

    def note_on(self, generation: Generation) -> None:
        """Set what is known on `generation` (not saved)."""
        generation.response_id = self.response_id or generation.response_id
        generation.request_id = self.request_id or generation.request_id
        generation.model_answered = self.model or generation.model_answered
        generation.first_text_at = self.first_text_at or generation.first_text_at


def plan_next_attempt(call: Generation, *, job_id: int | None) -> Generation:
    """Make the row of the next try of a call, to be made by a job. What was reserved for the call stays reserved."""
    return Generation.objects.create(
        purpose=call.purpose,
        conversation_id=call.conversation_id,
        message_id=call.message_id,
        step=call.step,
        attempt=call.attempt + 1,
        job_id=job_id,
        model=call.model,
        model_asked=call.model_asked,
        reserved_tokens=call.reserved_tokens,
        reserved_cost=call.reserved_cost,
    )


def plan_next_step(call: Generation, request: ModelRequest) -> Generation:
    """Make the row of the call that goes on after one whose tools were run; it is made at once, by the same job."""
    spoken = sum(estimate_tokens(turn.text) for turn in request.turns) + estimate_tokens(json.dumps(request.items))
    return Generation.objects.create(
        purpose=call.purpose,
        conversation_id=call.conversation_id,
        message_id=call.message_id,
        step=call.step + 1,
        job_id=call.job_id,
        model=call.model,
        model_asked=call.model_asked,
        reserved_tokens=call.reserved_tokens,
        reserved_cost=call.reserved_cost,
        status=Generation.Status.RUNNING,
        started_at=timezone.now(),
        instructions=request.instructions,
        parameters=request.as_sent(),
        first_message_id=call.first_message_id,
        omitted_messages=call.omitted_messages,
        input_tokens=estimate_tokens(request.instructions) + spoken,
        usage_source=Generation.UsageSource.ESTIMATED,
    )


def close_call(
    generation: Generation,
    status: str,
    *,
    usage: Usage | None = None,
    error: ModelError | None = None,
    text: str = "",
) -> None:
    """End a call, save it and add it to its owner's sums. One that had ended already stays as it is.

    Without `usage` it is estimated from `text`, which is what had arrived. A background response is deleted at the
    provider however its call ended, by a job of the same transaction.
    """
    generation.status = status
    generation.finished_at = timezone.now()
    if error is not None:
        generation.error_code = error.code[:40]
        generation.error_detail = clean_text(error.detail)
        generation.request_id = error.request_id or generation.request_id
        generation.response_id = error.response_id or generation.response_id
    if usage is not None:
        book_usage(generation, usage, source=Generation.UsageSource.EXACT)
    elif generation.started_at is not None and (text or error is None):
        # A cut stream tells no usage; the provider still bills what it read and wrote.
        estimate = Usage(generation.input_tokens or 0, 0, estimate_tokens(text), 0)
        book_usage(generation, estimate, source=Generation.UsageSource.ESTIMATED)
    else:
        generation.input_tokens, generation.usage_source = None, ""
    if save_ended(generation) and is_background(generation):
        jobs.defer_forget(generation.response_id)


def close_open_calls(message: Message, status: Generation.Status, text: str, error_code: str = "") -> None:
    """End the call that is still open for a message; its usage is estimated."""
    open_calls = message.generations.filter(status__in=Generation.OPEN).select_related("model").order_by("id")
    for generation in open_calls:
        generation.error_code = error_code
        close_call(generation, status, text=text)


def is_background(generation: Generation) -> bool:
    """Whether the provider keeps a response of this call, which can be picked up again and has to be deleted."""
    return bool(generation.response_id and generation.parameters.get("background"))
