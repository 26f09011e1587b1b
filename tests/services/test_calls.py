"""The steps of a writer can be repeated where the answer to a commit was lost, and each call is recorded whole."""

import contextlib
import datetime

import psycopg
import pytest
from django.db import OperationalError, connection, transaction

from conversations.llm import ModelError
from conversations.models import Generation, Message
from conversations.services import (
    AnswerPlan,
    CallProgress,
    claim_title,
    fail_answer,
    fail_title,
    finish_answer,
    finish_title,
    leave_response,
    next_attempt,
    send_message,
    stop_answer,
)
from conversations.services.jobs import FORGET_TASK, defer_forget
from tests.factories import token
from tests.services.calls import FINISHED, begin, claim, jobs, sql, title_of

pytestmark = pytest.mark.django_db
BUSY = ModelError("overloaded", "HTTP 503")
NOW = datetime.datetime(2026, 11, 22, tzinfo=datetime.UTC)
PROGRESS = CallProgress("resp_1", "req_1", "gpt-4o-2024-11-20", NOW)


def claim_in_background(answer: Message) -> AnswerPlan:
    plan = claim(answer)
    call = answer.generations.get()
    call.parameters = call.parameters | {"background": True}
    call.save()
    return plan


def test_the_next_attempt_can_be_asked_for_twice() -> None:
    answer = begin()
    plan = claim(answer)

    first = next_attempt(plan=plan, error=BUSY)
    again = next_attempt(plan=plan, error=BUSY)

    assert first == again
    calls = list(answer.generations.all())
    assert [(call.status, call.attempt, call.error_code) for call in calls] == [
        ("failed", 1, "overloaded"),
        ("running", 2, ""),
    ]
    assert first is not None
    assert finish_answer(plan=first, finished=FINISHED, text="", progress=PROGRESS)


def test_u8_what_was_too_long_is_sent_again_shorter() -> None:
    answer = begin("one " * 300)
    assert finish_answer(plan=claim(answer), finished=FINISHED, text="", progress=PROGRESS)
    following = send_message(
        owner=answer.conversation.owner,
        conversation_id=answer.conversation.pk,
        prompt="two " * 30,
        client_token=token(),
    )
    plan = claim(following)
    assert len(plan.request.turns) == 3

    shorter = next_attempt(plan=plan, error=ModelError("too_long"), shorten=True)

    assert shorter is not None
    assert [turn.text for turn in shorter.request.turns] == [("two " * 30).strip()]
    call = following.generations.get(status="running")
    assert (call.omitted_messages, call.first_message_id) == (2, following.parent_id)


@pytest.mark.parametrize("end", ["finish", "fail", "retry", "stop"])
def test_a_background_response_is_forgotten_however_its_call_ends(end: str) -> None:
    answer = begin()
    plan = claim_in_background(answer)
    if end == "finish":
        finish_answer(plan=plan, finished=FINISHED, text="", progress=PROGRESS)
    elif end == "fail":
        fail_answer(plan=plan, error=ModelError("timeout", response_id="resp_1"), text="Hi", progress=PROGRESS)
    elif end == "retry":
        next_attempt(plan=plan, error=ModelError("provider_down", response_id="resp_1"))
    else:
        Generation.objects.filter(message=answer).update(response_id="resp_1")
        stop_answer(message=answer)
    assert jobs(FORGET_TASK) == [{"response_id": "resp_1"}]


def test_a_background_response_that_was_stopped_before_its_id_was_saved_is_forgotten_by_its_writer() -> None:
    answer = begin()
    plan = claim_in_background(answer)
    leave_response(plan=plan, progress=PROGRESS)
    assert jobs(FORGET_TASK) == []  # it still runs
    stop_answer(message=answer)
    for _ in range(2):
        leave_response(plan=plan, progress=PROGRESS)
    assert jobs(FORGET_TASK) == [{"response_id": "resp_1"}]
    assert answer.generations.get().response_id == "resp_1"


def test_a_title_is_recorded_like_every_call() -> None:
    answer = begin()
    finish_answer(plan=claim(answer), finished=FINISHED, text="", progress=CallProgress())
    plan = claim_title(generation_id=title_of(answer).pk)
    assert plan is not None
    assert title_of(answer).input_tokens

    finish_title(plan=plan, finished=FINISHED, text="", progress=PROGRESS)

    title = title_of(answer)
    assert (title.status, title.response_id, title.request_id) == ("completed", "resp_1", "req_1")
    assert (title.first_text_at, title.usage_source) == (NOW, "exact")
    assert title.cost
    answer.conversation.refresh_from_db()
    assert answer.conversation.title == "Hello there"


def test_a_title_that_was_cut_short_counts_what_it_cost() -> None:
    answer = begin()
    finish_answer(plan=claim(answer), finished=FINISHED, text="", progress=CallProgress())
    plan = claim_title(generation_id=title_of(answer).pk)
    assert plan is not None

    fail_title(plan=plan, error=ModelError("connection", "reset"), text="Hel", progress=PROGRESS)

    title = title_of(answer)
    assert (title.status, title.error_code, title.usage_source) == ("failed", "connection", "estimated")
    assert (title.response_id, title.output_tokens) == ("resp_1", 1)


@pytest.mark.django_db(transaction=True)
def test_a_database_that_goes_away_while_a_job_is_deferred_is_django_s_error() -> None:
    settings = connection.settings_dict
    address = {"host": settings["HOST"], "port": settings["PORT"], "user": settings["USER"]}
    with contextlib.suppress(OperationalError), transaction.atomic():
        ((pid,),) = sql("SELECT pg_backend_pid()")
        with psycopg.connect(**address, password=settings["PASSWORD"], dbname=settings["NAME"]) as other:
            other.execute("SELECT pg_terminate_backend(%s)", [pid])
        with pytest.raises(OperationalError):
            defer_forget("resp_1")
