"""Test calls and previews: planned, booked to who asked, held to their limits, settled when the worker dies."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.test import override_settings

from accounts.models import User
from conversations.llm import Finished, ModelError, Usage
from conversations.models import Conversation, Generation, Message, Trial, UsageDay, UsageLimit
from conversations.services import (
    CallPlan,
    CallProgress,
    Refused,
    claim_trial,
    fail_trial,
    finish_trial,
    path_of,
    plan_preview,
    plan_test,
    settle_stalled,
    standings_of,
)
from conversations.services.trials import MOST_TURNS, TEST_PROMPT
from tests.factories import make_assistant, make_model, make_user
from tests.services.calls import sql

pytestmark = pytest.mark.django_db
DONE = Finished("completed", None, Usage(1_000, 0, 100, 0), "gpt-4o-2024-11-20", "")


@pytest.fixture
def person() -> User:
    return make_user()


def claimed(trial: Trial) -> CallPlan:
    plan = claim_trial(generation_id=trial.pk)
    assert plan is not None
    return plan


def finish(trial: Trial, text: str = "OK") -> Trial:
    finish_trial(plan=claimed(trial), finished=DONE, text=text, progress=CallProgress("resp_1", "req_1", "gpt-4o"))
    return Trial.objects.select_related("generation").get(pk=trial.pk)


def test_a_test_call_is_a_call_on_record_without_a_conversation(person: User) -> None:
    trial = plan_test(model=make_model(), person=person)
    plan = claimed(trial)
    assert [turn.text for turn in plan.request.turns] == [TEST_PROMPT]
    assert plan.request.as_sent()["max_output_tokens"] == 300
    assert claim_trial(generation_id=trial.pk) is None
    finish_trial(plan=plan, finished=DONE, text="OK", progress=CallProgress("resp_1", "req_1", "gpt-4o"))
    call = Generation.objects.get()
    assert (call.purpose, call.status, call.conversation, call.message) == ("test", "completed", None, None)
    assert (call.model_answered, call.response_id, call.input_tokens) == ("gpt-4o-2024-11-20", "resp_1", 1_000)
    assert call.cost == Decimal("0.0035")
    assert Trial.objects.get().text == "OK"
    assert not Conversation.objects.exists()
    assert not Message.objects.exists()


def test_what_it_used_is_booked_to_who_asked_once(person: User) -> None:
    trial = plan_test(model=make_model(), person=person)
    plan = claimed(trial)
    for _ in range(2):
        finish_trial(plan=plan, finished=DONE, text="OK", progress=CallProgress())
    day = UsageDay.objects.get()
    assert (day.owner, day.calls, day.input_tokens, day.output_tokens, day.cost) == (
        person, 1, 1_000, 100, Decimal("0.0035"),
    )  # fmt: skip


def test_a_call_that_failed_before_its_answer_costs_nothing_and_keeps_its_reason(person: User) -> None:
    trial = plan_test(model=make_model(), person=person)
    error = ModelError("model_gone", "HTTP 404, code model_not_found: no such model")
    fail_trial(plan=claimed(trial), error=error, text="", progress=CallProgress())
    call = Generation.objects.get()
    assert (call.status, call.error_code) == ("failed", "model_gone")
    assert "no such model" in call.error_detail
    assert not UsageDay.objects.exists()


def test_limits_are_kept_and_what_is_tried_is_held_free(person: User) -> None:
    model = make_model()
    UsageLimit.objects.create(user=person, measure="tokens", period="day", amount=1_100)
    trial = plan_test(model=model, person=person)
    (standing,) = standings_of(person.pk)
    assert standing.held > 16_000
    finish(trial)
    (standing,) = standings_of(person.pk)
    assert (int(standing.used), int(standing.held)) == (1_100, 0)
    with pytest.raises(Refused, match="You have used your 1,100 tokens of today"):
        plan_test(model=model, person=person)
    assert Trial.objects.count() == Generation.objects.count() == 1


def test_one_at_a_time_and_of_each_person(person: User) -> None:
    model = make_model()
    plan_test(model=model, person=person)
    with pytest.raises(Refused, match="Another call that you are trying out is still running"):
        plan_preview(assistant=make_assistant(), person=person, prompt="Hello", instructions="")
    plan_test(model=model, person=make_user())


def test_a_preview_asks_as_the_assistant_would_with_instructions_that_nobody_saved(person: User) -> None:
    assistant = make_assistant(instructions="Saved.", parameters={"temperature": 0.2}, tools=["code_interpreter"])
    make_model(tools=["code_interpreter"])
    trial = plan_preview(assistant=assistant, person=person, prompt=" Hello\r\n ", instructions="Tried\r\nonly.")
    request = claimed(trial).request
    assert (request.instructions, [turn.text for turn in request.turns]) == ("Tried\nonly.", ["Hello"])
    assert request.as_sent()["temperature"] == 0.2
    assert "tools" not in request.as_sent()
    call = Generation.objects.get()
    assert (call.purpose, call.instructions, call.parameters["temperature"]) == ("preview", "Tried\nonly.", 0.2)
    assistant.refresh_from_db()
    assert assistant.instructions == "Saved."


def test_a_preview_goes_on_from_an_earlier_one_also_with_another_model(person: User) -> None:
    assistant, other = make_assistant(), make_model("gpt-5")
    make_model()
    first = finish(plan_preview(assistant=assistant, person=person, prompt="One", instructions="A"), "Answer one")
    second = plan_preview(
        assistant=assistant, person=person, prompt="Two", instructions="B", model=other, follows=first
    )
    request = claimed(second).request
    assert [(turn.role, turn.text) for turn in request.turns] == [
        ("user", "One"), ("assistant", "Answer one"), ("user", "Two"),
    ]  # fmt: skip
    assert (request.model, request.instructions) == ("gpt-5", "B")
    assert path_of(second) == [first, second]


def test_what_cannot_be_tried_is_refused_with_a_sentence(person: User) -> None:
    assistant = make_assistant()
    with pytest.raises(Refused, match="The model of this assistant is missing or disabled"):
        plan_preview(assistant=assistant, person=person, prompt="Hello", instructions="")
    make_model()
    with pytest.raises(Refused, match="The message is empty"):
        plan_preview(assistant=assistant, person=person, prompt=" \n", instructions="")
    with pytest.raises(Refused, match="The instructions have 100,001 characters"):
        plan_preview(assistant=assistant, person=person, prompt="Hello", instructions="x" * 100_001)
    last = None
    for number in range(MOST_TURNS):
        last = finish(
            plan_preview(assistant=assistant, person=person, prompt=f"{number}", instructions="", follows=last)
        )
    with pytest.raises(Refused, match="A preview can have 20 prompts"):
        plan_preview(assistant=assistant, person=person, prompt="More", instructions="", follows=last)


def test_half_characters_and_nulls_are_stored_clean(person: User) -> None:
    make_model()
    trial = plan_preview(assistant=make_assistant(), person=person, prompt="a\x00\ud800b", instructions="\udfff\x00")
    trial = finish(trial, "x\x00\ud83d")
    assert (trial.prompt, trial.generation.instructions, trial.text) == (
        "a\ufffd\ufffdb",
        "\ufffd\ufffd",
        "x\ufffd\ufffd",
    )


@override_settings(OPENAI_BACKGROUND=True)
def test_a_preview_in_background_mode_is_deleted_at_the_provider(person: User) -> None:
    finish(plan_test(model=make_model(), person=person))
    names = sql("SELECT task_name FROM procrastinate_jobs ORDER BY id")
    assert names == [("conversations.tasks.trial",), ("conversations.tasks.forget_response",)]


@pytest.mark.parametrize("is_claimed", [False, True], ids=["planned", "claimed"])
def test_w1_a_trial_whose_worker_died_ends_and_another_can_be_made(person: User, is_claimed: bool) -> None:
    model = make_model()
    trial = plan_test(model=model, person=person)
    if is_claimed:
        claimed(trial)
    sql("UPDATE procrastinate_jobs SET status = 'failed'")
    assert settle_stalled() == []
    call = Generation.objects.get()
    assert (call.status, call.error_code) == ("interrupted", "worker_lost")
    plan_test(model=model, person=person)
