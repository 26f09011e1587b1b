"""What administrators try out: test calls of models, previews of assistants. One call each, and no conversation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from conversations.llm import Finished, ModelError, ModelRequest, Turn, choose_window, estimate_tokens
from conversations.models import Assistant, Generation, LanguageModel, Trial
from conversations.services import jobs
from conversations.services.calls import CallProgress
from conversations.services.limits import reserve
from conversations.services.privacy import safety_identifier
from conversations.services.refusals import Refusal, Refused
from conversations.services.sending import accepted
from conversations.services.single_calls import CallPlan, end_call, fail_call
from conversations.text import clean_text

if TYPE_CHECKING:
    from accounts.models import User

TEST_PROMPT = "Reply with the single word OK."
TEST_TOKENS = 300  # some models think before they speak
LONGEST_INSTRUCTIONS = 100_000
MOST_TURNS = 20


def plan_test(*, model: LanguageModel, person: User) -> Trial:
    """Have the worker make one short call of a model, also of one that is disabled. Booked to `person`.

    Raises Refused (busy, limit, no_model).
    """
    with transaction.atomic():
        return _plan(
            Generation(purpose=Generation.Purpose.TEST, model=model, parameters={"max_output_tokens": TEST_TOKENS}),
            Trial(asked_by=person, prompt=TEST_PROMPT),
        )


def plan_preview(
    *,
    assistant: Assistant,
    person: User,
    prompt: str,
    instructions: str,
    model: LanguageModel | None = None,
    follows: Trial | None = None,
) -> Trial:
    """Have the worker answer as an assistant with these instructions would. Booked to `person`; nothing is saved of it
    with the assistant.

    `model` takes the place of the assistant's, and `follows` is the preview that this one goes on from. Tools are left
    out: what they make belongs to messages. Raises Refused (empty, too_long, busy, limit, no_model).
    """
    prompt = accepted(prompt)
    instructions = clean_text(instructions.replace("\r\n", "\n"))
    if len(instructions) > LONGEST_INSTRUCTIONS:
        raise Refused(
            Refusal.TOO_LONG,
            f"The instructions have {len(instructions):,} characters; at most {LONGEST_INSTRUCTIONS:,} can be tried.",
        )
    model = model or assistant.language_model()
    if model is None:
        raise Refused(Refusal.NO_MODEL, "The model of this assistant is missing or disabled. Choose another one.")
    if len(path_of(follows)) >= MOST_TURNS:
        raise Refused(Refusal.TOO_LONG, f"A preview can have {MOST_TURNS} prompts. Start over.")
    with transaction.atomic():
        return _plan(
            Generation(
                purpose=Generation.Purpose.PREVIEW,
                model=model,
                instructions=instructions,
                parameters={"max_output_tokens": model.max_output_tokens} | assistant.parameters,
            ),
            Trial(asked_by=person, assistant=assistant, prompt=prompt, follows=follows),
        )


def path_of(trial: Trial | None) -> list[Trial]:
    """Return a trial and those that it goes on from, the first one first."""
    path: list[Trial] = []
    while trial is not None and len(path) <= MOST_TURNS:
        path.append(trial)
        trial = Trial.objects.select_related("generation__model").filter(pk=trial.follows_id).first()
    return path[::-1]


def claim_trial(*, generation_id: UUID) -> CallPlan | None:
    """Take a planned call and return what to ask, or None where it was taken."""
    with transaction.atomic():
        claimed = Generation.objects.filter(pk=generation_id, status=Generation.Status.PENDING).update(
            status=Generation.Status.RUNNING, started_at=timezone.now()
        )
        if not claimed:
            return None
        trial = Trial.objects.select_related("generation__model").get(pk=generation_id)
        generation = trial.generation
        request = _request(trial)
        generation.parameters = request.as_sent()
        generation.input_tokens = estimate_tokens(request.instructions) + sum(
            estimate_tokens(turn.text) for turn in request.turns
        )
        generation.usage_source = Generation.UsageSource.ESTIMATED
        generation.save(update_fields=["parameters", "input_tokens", "usage_source"])
    return CallPlan(generation_id, request)


def finish_trial(*, plan: CallPlan, finished: Finished, text: str, progress: CallProgress) -> None:
    """Record the call and what was answered, unless it was closed meanwhile because its writer seemed dead."""
    with transaction.atomic():
        if ended := end_call(plan, finished, text, progress):
            _keep(plan, ended[1])


def fail_trial(*, plan: CallPlan, error: ModelError, text: str, progress: CallProgress) -> None:
    """Record why there is no answer, and what had come of it."""
    with transaction.atomic():
        if fail_call(plan, error, text, progress):
            _keep(plan, text)


def _plan(generation: Generation, trial: Trial) -> Trial:
    """Write both rows and defer the job, in the caller's transaction. Raises Refused (busy, limit, no_model).

    The lock on the person that `reserve` takes makes their parallel trials take turns.
    """
    person, model = trial.asked_by, generation.model
    spoken = generation.instructions + trial.prompt + "".join(one.prompt + one.text for one in path_of(trial.follows))
    reservation = reserve(owner_id=person.pk, model=model, prompt=spoken)
    if Trial.objects.visible_to(person).filter(generation__status__in=Generation.OPEN).exists():
        raise Refused(Refusal.BUSY, "Another call that you are trying out is still running. Wait for its end.")
    generation.model_asked = model.name
    generation.reserved_tokens, generation.reserved_cost = reservation.tokens, reservation.cost
    generation.job_id = jobs.defer_trial(generation.pk)
    generation.save(force_insert=True)
    trial.generation = generation
    trial.save(force_insert=True)
    return trial


def _request(trial: Trial) -> ModelRequest:
    generation = trial.generation
    turns: list[Turn] = []
    for earlier in path_of(trial)[:-1]:
        turns += [Turn("user", earlier.prompt), *([Turn("assistant", earlier.text)] if earlier.text else [])]
    turns.append(Turn("user", trial.prompt))
    model = generation.model
    omitted = choose_window(
        turns,
        instructions=generation.instructions,
        context_window=model.context_window,
        reserve=min(model.max_output_tokens, model.context_window // 2),
    )
    parameters: dict[str, Any] = generation.parameters
    return ModelRequest(
        model=generation.model_asked,
        instructions=generation.instructions,
        turns=tuple(turns[omitted:]),
        parameters=parameters,
        safety_identifier=safety_identifier(trial.asked_by_id),
    )


def _keep(plan: CallPlan, text: str) -> None:
    Trial.objects.filter(pk=plan.generation_id).update(text=clean_text(text))
