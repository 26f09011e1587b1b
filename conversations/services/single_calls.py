"""Calls whose answer is no message, for a title or tried out by an administrator: one request, text alone."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from conversations.llm import Finished, ModelError, ModelRequest
from conversations.models import Generation
from conversations.services.calls import CallProgress, close_call


@dataclass(frozen=True, slots=True)
class CallPlan:
    """What to ask the model, and the row that records it."""

    generation_id: UUID
    request: ModelRequest


def end_call(plan: CallPlan, finished: Finished, text: str, progress: CallProgress) -> tuple[Generation, str] | None:
    """Record how a call ended, in the caller's transaction, and return it with what was answered.

    None where it was closed meanwhile because its writer seemed dead: nothing was changed.
    """
    generation = _held(plan)
    if generation is None:
        return None
    progress.note_on(generation)
    generation.model_answered = finished.model or generation.model_answered
    generation.finish_reason = finished.reason
    answered = finished.text if finished.text is not None else text
    close_call(generation, finished.outcome, usage=finished.usage, text=answered)
    return generation, answered


def fail_call(plan: CallPlan, error: ModelError, text: str, progress: CallProgress) -> bool:
    """Record why a call failed, in the caller's transaction; False where it was closed meanwhile."""
    generation = _held(plan)
    if generation is None:
        return False
    progress.note_on(generation)
    close_call(generation, Generation.Status.FAILED, error=error, text=text)
    return True


def _held(plan: CallPlan) -> Generation | None:
    return (
        Generation.objects.select_for_update(of=("self",), no_key=True)
        .select_related("model")
        .filter(pk=plan.generation_id, status=Generation.Status.RUNNING)
        .first()
    )
