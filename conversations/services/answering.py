"""Writing an answer: the steps of the worker, each one transaction.

Whoever writes holds an `AnswerPlan` with the attempt that it claimed. Every write is conditional on the message still
being `streaming` under that attempt, so a writer that was thought dead and wakes up changes nothing.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass, replace
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from conversations.llm import Finished, ModelError, ModelRequest, Turn, Usage, choose_window, estimate_tokens
from conversations.models import Generation, LanguageModel, Message
from conversations.services import jobs
from conversations.services.accounting import book_usage
from conversations.services.privacy import safety_identifier
from conversations.text import clean_text


@dataclass(frozen=True, slots=True)
class AnswerPlan:
    """What a writer needs to know: which message under which attempt, and what to ask the model."""

    message_id: UUID
    attempt: int
    generation_id: UUID
    request: ModelRequest
    response_id: str = ""  # of a background response to pick up again
    saved_text: str = ""  # what an earlier writer of that response had saved


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


def claim_answer(*, message_id: UUID) -> AnswerPlan | None:
    """Take a queued answer and return what to do, or None where it is not waiting (any more).

    The compare-and-set from queued to streaming lets one writer through, whichever job it runs in.
    """
    with transaction.atomic():
        claimed = Message.objects.filter(pk=message_id, status=Message.Status.QUEUED).update(
            status=Message.Status.STREAMING, attempt=F("attempt") + 1, activity=""
        )
        if not claimed:
            return None
        message = Message.objects.select_related("conversation__assistant", "conversation__owner").get(pk=message_id)
        generation = message.generations.select_related("model").order_by("id").last()
        if generation is None:  # pragma: no cover - a queued answer is committed with its generation
            raise LookupError(f"The answer {message_id} has no generation.")
        if generation.response_id:
            request = ModelRequest(generation.model_asked, "", (), generation.parameters)
            return AnswerPlan(
                message_id, message.attempt, generation.pk, request, generation.response_id, message.text_so_far()
            )
        return AnswerPlan(message_id, message.attempt, generation.pk, _begin_call(message, generation))


def next_attempt(*, plan: AnswerPlan, error: ModelError, shorten: bool = False) -> AnswerPlan | None:
    """Close the failed call of `plan` and open the next one. Return the new plan, or None where the claim is lost.

    `shorten` leaves out the older half of what was sent (the provider said that it was too long).
    """
    with transaction.atomic():
        message = _held(plan)
        if message is None:
            return None
        failed = Generation.objects.select_related("model").get(pk=plan.generation_id)
        _close(failed, Generation.Status.FAILED, error=error)
        following = Generation.objects.create(
            purpose=failed.purpose,
            conversation_id=failed.conversation_id,
            message=message,
            step=failed.step,
            attempt=failed.attempt + 1,
            job_id=failed.job_id,
            model=failed.model,
            model_asked=failed.model_asked,
        )
        window = failed.model.context_window // 2 if shorten else None
        return replace(plan, generation_id=following.pk, request=_begin_call(message, following, window=window))


def finish_answer(*, plan: AnswerPlan, finished: Finished, text: str, progress: CallProgress) -> bool:
    """End an answer as the provider ended it. Return False where the claim is lost and nothing was changed.

    `text` is what had arrived; where the provider gave its final text, that one is stored.
    """
    with transaction.atomic():
        message = _held(plan)
        if message is None:
            return False
        generation = Generation.objects.select_related("model").get(pk=plan.generation_id)
        progress.note_on(generation)
        generation.model_answered = finished.model or generation.model_answered
        generation.finish_reason = finished.reason[:60]
        final = clean_text(finished.text) if finished.text is not None else text
        _close(generation, Generation.Status(finished.outcome), usage=finished.usage, text=final)
        end_message(message, Message.Status(finished.outcome), final)
        _defer_afterwork(message, generation)
    return True


def fail_answer(
    *, plan: AnswerPlan, error: ModelError, text: str, progress: CallProgress, status: str = Message.Status.FAILED
) -> bool:
    """End an answer that cannot be had; what had arrived is kept. Return False where the claim is lost."""
    with transaction.atomic():
        message = _held(plan)
        if message is None:
            return False
        generation = Generation.objects.select_related("model").get(pk=plan.generation_id)
        progress.note_on(generation)
        _close(generation, Generation.Status(status), error=error, text=text)
        message.error_code, message.error_text = error.code[:40], error.message[:500]
        end_message(message, Message.Status(status), text)
    return True


def end_message(message: Message, status: Message.Status, text: str) -> None:
    """Give a locked, running message its final text and status; its chunks go and every hub is told."""
    message.status, message.text, message.activity = status, text, ""
    message.finished_at = timezone.now()
    message.save(update_fields=["status", "text", "activity", "finished_at", "error_code", "error_text"])
    message.chunks.all().delete()
    notify_watchers()


def close_open_generation(message: Message, status: Generation.Status, text: str, error_code: str = "") -> None:
    """End the call that is still open for a message; its usage is estimated."""
    open_calls = message.generations.filter(status__in=Generation.OPEN).select_related("model").order_by("id")
    for generation in open_calls:
        generation.error_code = error_code
        _close(generation, status, text=text)


def notify_watchers() -> None:
    """Wake the hubs of all web processes when the surrounding transaction commits."""
    with connection.cursor() as cursor:
        cursor.execute("NOTIFY verbatim_live")


def _held(plan: AnswerPlan) -> Message | None:
    return (
        Message.objects.select_for_update(of=("self",), no_key=True)
        .select_related("conversation")
        .filter(pk=plan.message_id, status=Message.Status.STREAMING, attempt=plan.attempt)
        .first()
    )


def _begin_call(message: Message, generation: Generation, window: int | None = None) -> ModelRequest:
    assistant, model = message.conversation.assistant, generation.model
    said = _said_before(message)
    turns = [Turn("user" if one.role == Message.Role.USER else "assistant", one.text) for one in said]
    omitted = choose_window(
        turns,
        instructions=assistant.instructions,
        context_window=window or model.context_window,
        reserve=_reserve(model),
    )
    request = ModelRequest(
        model=generation.model_asked,
        instructions=assistant.instructions,
        turns=tuple(turns[omitted:]),
        parameters={"max_output_tokens": model.max_output_tokens} | assistant.parameters,
        safety_identifier=safety_identifier(message.owner_id),
    )
    generation.status = Generation.Status.RUNNING
    generation.started_at = timezone.now()
    generation.instructions = request.instructions
    generation.parameters = request.as_sent()
    generation.first_message = said[omitted] if omitted < len(said) else None
    generation.omitted_messages = omitted
    # An estimate until the provider tells; it stands when the call is cut.
    generation.input_tokens = estimate_tokens(request.instructions) + sum(
        estimate_tokens(turn.text) for turn in request.turns
    )
    generation.usage_source = Generation.UsageSource.ESTIMATED
    generation.save()
    return request


def _said_before(message: Message) -> list[Message]:
    """Return the path that the model is shown: prompts, and answers that have text."""
    by_id = {one.pk: one for one in message.conversation.messages.all()}
    path, at = [], message.parent_id
    while at is not None:
        path.append(by_id[at])
        at = by_id[at].parent_id
    return [one for one in reversed(path) if one.text]


def _reserve(model: LanguageModel) -> int:
    """Return how many tokens of the window the answer may need: its limit, but at most half of the window."""
    return min(model.max_output_tokens, model.context_window // 2)


def _close(
    generation: Generation,
    status: Generation.Status,
    *,
    usage: Usage | None = None,
    error: ModelError | None = None,
    text: str = "",
) -> None:
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
    generation.save()


def _defer_afterwork(message: Message, generation: Generation) -> None:
    conversation = message.conversation
    if generation.parameters.get("background") and generation.response_id:
        jobs.defer_forget(generation.response_id)
    titles = conversation.generations.filter(purpose=Generation.Purpose.TITLE)
    if conversation.is_title_provisional and message.status == Message.Status.COMPLETED and not titles.exists():
        title = Generation(
            purpose=Generation.Purpose.TITLE,
            conversation=conversation,
            model=generation.model,
            model_asked=generation.model_asked,
        )
        title.job_id = jobs.defer_title(title.pk)
        title.save(force_insert=True)
