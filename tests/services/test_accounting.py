"""Each call is added to its owner's day once, however it ended, and the sums are those of the record."""

import datetime
import importlib
from collections.abc import Callable
from decimal import Decimal

import pytest
from django.apps import apps
from django.db import connection
from pytest_django import Settings

from conversations.llm import Finished, ModelError, ModelRequest, Usage
from conversations.models import Generation, LanguageModel, Message, UsageDay
from conversations.services import (
    AnswerPlan,
    CallProgress,
    claim_title,
    fail_answer,
    finish_answer,
    finish_title,
    next_attempt,
    next_step,
    settle_stalled,
    stop_answer,
)
from conversations.services.calls import close_call, plan_next_step
from tests.factories import make_model
from tests.services.calls import FINISHED, begin, claim, job_of, lose, title_of

pytestmark = pytest.mark.django_db
NUMBERS = ("calls", "estimated_calls", "unpriced_calls", "input_tokens", "cached_tokens", "output_tokens")
OVERLOADED = ModelError("overloaded", "HTTP 503")
DETAILED = Finished("completed", "Hello.", Usage(1000, 400, 30, 20), "gpt-4o", "")


def finish(answer: Message, plan: AnswerPlan) -> None:
    finish_answer(plan=plan, finished=DETAILED, text="", progress=CallProgress())


def cut(answer: Message, plan: AnswerPlan) -> None:
    stop_answer(message=answer)


def break_off(answer: Message, plan: AnswerPlan) -> None:
    fail_answer(plan=plan, error=OVERLOADED, text="Hal", progress=CallProgress())


def fail(answer: Message, plan: AnswerPlan) -> None:
    fail_answer(plan=plan, error=OVERLOADED, text="", progress=CallProgress())


def abandon(answer: Message, plan: AnswerPlan) -> None:
    lose(job_of(answer))
    settle_stalled()


def the_day() -> tuple[int, ...]:
    day = UsageDay.objects.get()
    return tuple(getattr(day, name) for name in NUMBERS)


def recounted() -> list[tuple[object, ...]]:
    """What the data migration would write, from the calls alone."""
    migration = importlib.import_module("conversations.migrations.0006_usage_of_earlier_calls")
    UsageDay.objects.all().delete()
    with connection.schema_editor() as editor:
        migration.sum_up(apps, editor)
    return kept()


def kept() -> list[tuple[object, ...]]:
    names = [field.attname for field in UsageDay._meta.local_fields if field.name != "id"]
    return sorted(UsageDay.objects.values_list(*names), key=str)


@pytest.mark.parametrize(
    ("end", "numbers"),
    [
        pytest.param(finish, (1, 0, 0, 1000, 400, 30), id="finished"),
        pytest.param(cut, (1, 1, 0, 6, 0, 0), id="stopped"),
        pytest.param(break_off, (1, 1, 0, 6, 0, 1), id="broken-off"),
        pytest.param(abandon, (1, 1, 0, 6, 0, 0), id="worker-lost"),
    ],
)
def test_a_call_that_used_something_is_in_the_sums_however_it_ended(
    end: Callable[[Message, AnswerPlan], None], numbers: tuple[int, ...]
) -> None:
    answer = begin()
    end(answer, claim(answer))
    assert the_day() == numbers
    day, call = UsageDay.objects.get(), answer.generations.order_by("id")[0]
    assert (day.owner, day.model, day.day) == (answer.owner, call.model, datetime.datetime.now(datetime.UTC).date())
    assert day.cost == call.cost
    assert day.reasoning_tokens == (call.reasoning_tokens or 0)
    assert kept() == recounted()


def test_a_call_that_failed_before_it_used_anything_is_not() -> None:
    answer = begin()
    fail(answer, claim(answer))
    assert not UsageDay.objects.exists()
    assert recounted() == []


def test_an_answer_that_was_stopped_before_its_call_was_made_is_not() -> None:
    stop_answer(message=begin())
    assert not UsageDay.objects.exists()
    assert recounted() == []


def test_a_call_is_added_once_whoever_ends_it_again() -> None:
    answer = begin()
    plan = claim(answer)
    finish(answer, plan)
    once = kept()

    finish(answer, plan)
    settle_stalled()
    close_call(answer.generations.select_related("model").get(), Generation.Status.FAILED, text="Something else")

    assert kept() == once
    call = answer.generations.get()
    assert (call.status, call.output_tokens) == ("completed", 30)


def test_titles_steps_and_further_attempts_are_added_too() -> None:
    answer = begin()
    plan = next_attempt(plan=claim(answer), error=OVERLOADED)
    assert plan is not None
    step = next_step(plan=plan, finished=DETAILED, text="", progress=CallProgress(), items=())
    assert step is not None
    finish(answer, step)
    title = claim_title(generation_id=title_of(answer).pk)
    assert title is not None
    finish_title(plan=title, finished=FINISHED, text="", progress=CallProgress())

    assert the_day() == (3, 0, 0, 2010, 800, 63)
    assert Generation.objects.count() == 4
    assert kept() == recounted()


def test_what_a_call_reserved_stays_reserved_for_its_next_attempt_and_step() -> None:
    answer = begin()
    Generation.objects.update(reserved_tokens=500, reserved_cost="0.25")
    plan = next_attempt(plan=claim(answer), error=OVERLOADED)
    assert plan is not None
    assert next_step(plan=plan, finished=DETAILED, text="", progress=CallProgress(), items=()) is not None
    reserved = answer.generations.order_by("id").values_list("reserved_tokens", "reserved_cost")
    assert list(reserved) == [(500, Decimal("0.25"))] * 3


def test_a_cost_that_is_not_known_is_counted_as_unknown_and_a_local_model_costs_nothing() -> None:
    make_model(priced=False)
    answer = begin()
    finish(answer, claim(answer))
    assert the_day()[:3] == (1, 0, 1)
    assert UsageDay.objects.get().cost == 0
    assert kept() == recounted()

    UsageDay.objects.all().delete()
    LanguageModel.objects.update(is_local=True)
    answer = begin()
    finish(answer, claim(answer))
    assert the_day()[:3] == (1, 0, 0)


@pytest.mark.parametrize(
    ("zone", "made_at", "day"),
    [
        ("UTC", "2026-03-28T23:30Z", "2026-03-28"),
        ("Europe/Berlin", "2026-03-28T23:30Z", "2026-03-29"),
        ("Europe/Berlin", "2026-03-29T21:30Z", "2026-03-29"),  # the day of 23 hours
        ("Europe/Berlin", "2026-03-29T22:30Z", "2026-03-30"),
        ("Europe/Berlin", "2026-10-25T22:30Z", "2026-10-25"),  # the day of 25 hours
        ("Europe/Berlin", "2026-10-25T23:30Z", "2026-10-26"),
        ("America/New_York", "2026-12-01T04:30Z", "2026-11-30"),
        ("Asia/Kolkata", "2026-12-31T18:30Z", "2027-01-01"),
    ],
)
def test_a_call_is_of_the_day_on_which_it_was_made_in_the_zone_of_the_server(
    settings: Settings, zone: str, made_at: str, day: str
) -> None:
    settings.TIME_ZONE = zone
    answer = begin()
    plan = claim(answer)
    Generation.objects.update(started_at=made_at)
    finish(answer, plan)  # whenever that is
    assert str(UsageDay.objects.get().day) == day
    assert kept() == recounted()


def test_a_step_that_was_planned_and_never_ended_is_not_counted_yet() -> None:
    answer = begin()
    claim(answer)
    call = answer.generations.select_related("model").get()
    plan_next_step(call, ModelRequest("gpt-4o", "", ()))
    assert kept() == recounted() == []
