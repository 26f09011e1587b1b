"""Writing an answer: the steps of the worker, each one transaction.

Whoever writes holds an `AnswerPlan` with the attempt that it claimed. Every write is conditional on the message still
being `streaming` under that attempt, so a writer that was thought dead and wakes up changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from conversations.llm import Finished, ModelError, ModelRequest
from conversations.models import Attachment, Generation, Message
from conversations.services import jobs
from conversations.services.calls import CallProgress, close_call, is_background, plan_next_attempt, plan_next_step
from conversations.services.opening import PlannedFile, claim_call, compose_again, find_call, open_call
from conversations.services.sending import lock_conversation
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
    files: tuple[tuple[PlannedFile, ...], ...] = ()  # of each turn of the request
    step: int = 1  # which call of the answer: one whose tools were run here takes several
    before: int = 0  # characters that the earlier steps wrote


def claim_answer(*, message_id: UUID) -> AnswerPlan | None:
    """Take a queued answer and return what to do, or None where it is not waiting (any more).

    The compare-and-set from queued to streaming lets one writer through, whichever job it runs in.
    """
    with transaction.atomic():
        call = claim_call(message_id=message_id)
        if call is None:
            return None
        if call.response_id:
            opened = compose_again(call)
            saved = Message.objects.get(pk=message_id).text_so_far()
            return AnswerPlan(
                message_id, call.attempt, call.id, opened.request, call.response_id, saved, files=opened.files
            )
        opened = open_call(call)
        return AnswerPlan(message_id, call.attempt, call.id, opened.request, files=opened.files)


def next_attempt(*, plan: AnswerPlan, error: ModelError, shorten: bool = False) -> AnswerPlan | None:
    """Close the failed call of `plan` and open the next one. Return the new plan, or None where the claim is lost.

    `shorten` leaves out the older half of what was sent (the provider said that it was too long). Asked again with the
    same plan, because the answer to the commit was lost, it returns the same call.
    """
    with transaction.atomic():
        message = _held(plan)
        if message is None:
            return None
        failed = Generation.objects.select_related("model").get(pk=plan.generation_id)
        most = (failed.input_tokens or failed.model.context_window) // 2 if shorten else None
        following = (
            message.generations.select_related("model").filter(step=failed.step, attempt=failed.attempt + 1).first()
        )
        if following is None:
            close_call(failed, Generation.Status.FAILED, error=error)
            following = plan_next_attempt(failed, job_id=failed.job_id)
        opened = open_call(find_call(message_id=message.pk), most_input=most)
        request = replace(opened.request, items=plan.request.items)
        return replace(plan, generation_id=following.pk, request=request, files=opened.files)


def next_step(
    *, plan: AnswerPlan, finished: Finished, text: str, progress: CallProgress, items: tuple[dict[str, Any], ...]
) -> AnswerPlan | None:
    """Close a call that ended by asking for tools, and open the next one, which is told what they brought (`items`).

    `text` is what the answer has so far. Returns None where the claim is lost; asked again with the same plan, it
    returns the same call.
    """
    with transaction.atomic():
        message = _held(plan)
        if message is None:
            return None
        call = Generation.objects.select_related("model").get(pk=plan.generation_id)
        request = replace(plan.request, items=items)
        following = message.generations.filter(step=call.step + 1).order_by("id").first()
        if following is None:
            progress.note_on(call)
            call.model_answered = finished.model or call.model_answered
            close_call(call, Generation.Status.COMPLETED, usage=finished.usage, text=text[plan.before :])
            following = plan_next_step(call, request)
        return replace(
            plan, generation_id=following.pk, request=request, response_id="", step=following.step, before=len(text)
        )


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
        generation.finish_reason = finished.reason
        final = clean_text(finished.text) if finished.text is not None else text
        close_call(generation, Generation.Status(finished.outcome), usage=finished.usage, text=final[plan.before :])
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
        close_call(generation, Generation.Status(status), error=error, text=text[plan.before :])
        message.error_code, message.error_text = error.code[:40], error.message[:500]
        end_message(message, Message.Status(status), text)
    return True


def leave_response(*, plan: AnswerPlan, progress: CallProgress) -> None:
    """Have a background response forgotten whose answer was ended by others before its id was saved.

    They could not tell the provider to stop it; its writer, who alone knows the id, does so when it leaves. What is
    concluded changes no more, so its call is left as it is; the lock keeps it from being concluded meanwhile.
    """
    with transaction.atomic():
        message = Message.objects.select_related("conversation").get(pk=plan.message_id)
        conversation = lock_conversation(message.conversation)
        generation = Generation.objects.select_for_update(of=("self",), no_key=True).get(pk=plan.generation_id)
        if generation.status in Generation.OPEN or generation.response_id:
            return
        progress.note_on(generation)
        if conversation.is_open:
            generation.save(update_fields=["response_id", "request_id", "model_answered", "first_text_at"])
        if is_background(generation):
            jobs.defer_forget(generation.response_id)


def end_message(message: Message, status: Message.Status, text: str) -> None:
    """Give a locked, running message its final text and status; its chunks go and every hub is told."""
    message.status, message.text, message.activity = status, text, ""
    message.finished_at = timezone.now()
    message.save(update_fields=["status", "text", "activity", "finished_at", "error_code", "error_text"])
    message.chunks.all().delete()
    # What is still on its way now comes too late, unless somebody asks for it again.
    Attachment.objects.filter(message=message, state=Attachment.State.PENDING).update(
        state=Attachment.State.FAILED, failure="The answer ended before this file was saved."
    )
    notify_watchers()


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


def _defer_afterwork(message: Message, generation: Generation) -> None:
    conversation = message.conversation
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
