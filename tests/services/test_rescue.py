"""Answers and titles whose writer is gone are settled once; those whose writer lives are left alone."""

import threading
import time

import pytest
from django.db import connections, transaction

from conversations.models import Generation, Message, MessageChunk
from conversations.services import (
    CallProgress,
    claim_title,
    finish_answer,
    finish_title,
    settle,
    settle_stalled,
)
from conversations.services.jobs import FORGET_TASK
from tests.services.calls import FINISHED, begin, claim, fetch, job_of, jobs, lose, sql, status_of, title_of
from tests.services.other import Other

pytestmark = pytest.mark.django_db


@pytest.fixture
def old_server() -> None:
    """Wait until the database server runs for more than 30 s: before that, no sign of a worker's death counts."""
    ((age,),) = sql("SELECT extract(epoch FROM now() - pg_postmaster_start_time())::float")
    time.sleep(max(0.0, 31.0 - age))


def test_an_answer_that_somebody_settled_a_moment_ago_is_not_settled_again() -> None:
    answer = begin()
    claim(answer)
    lose(job_of(answer))

    assert settle(message_id=answer.pk)
    assert not settle(message_id=answer.pk)

    assert status_of(answer.pk) == "queued"
    assert [call.status for call in answer.generations.all()] == ["interrupted", "pending"]


def test_an_answer_whose_writer_lives_is_not_settled() -> None:
    answer = begin()
    assert not settle(message_id=answer.pk)
    claim(answer)
    assert not settle(message_id=answer.pk)
    assert status_of(answer.pk) == "streaming"


def test_p5_a_writer_that_was_thought_dead_hands_nothing_over() -> None:
    answer = begin()
    plan = claim(answer)
    lose(job_of(answer))
    assert settle(message_id=answer.pk)
    assert not settle(message_id=answer.pk, attempt=plan.attempt)
    assert status_of(answer.pk) == "queued"


@pytest.mark.django_db(transaction=True)
def test_a_claim_that_waited_for_a_settlement_takes_the_call_that_it_planned() -> None:
    answer = begin()
    fetch(job_of(answer))
    lose(job_of(answer))
    with transaction.atomic():
        assert settle(message_id=answer.pk)
        woken = Other(lambda: claim(answer))
        woken.wait_until_it_waits()
    plan = woken.end()

    assert plan.generation_id == answer.generations.latest("id").pk
    assert finish_answer(plan=plan, finished=FINISHED, text="Hi", progress=CallProgress())
    assert [call.status for call in answer.generations.order_by("id")] == ["interrupted", "completed"]


@pytest.mark.django_db(transaction=True)
def test_an_answer_that_waited_long_and_was_fetched_just_now_is_not_lost(old_server: None) -> None:
    answer = begin()
    answer.generations.update(created_at="2026-01-01T00:00:00Z")
    fetch(job_of(answer))
    assert settle_stalled() == []

    sql("UPDATE procrastinate_events SET at = now() - interval '2 minutes' WHERE job_id = %s", job_of(answer))
    assert settle_stalled() == [answer.pk]


def test_p1_with_text_an_answer_ends_interrupted_and_with_none_it_is_tried_once_more() -> None:
    with_text, without = begin(), begin()
    for answer in (with_text, without):
        claim(answer)
        lose(job_of(answer))
    MessageChunk.objects.create(message=with_text, start=0, text="Hel")

    assert set(settle_stalled()) == {with_text.pk, without.pk}
    with_text.refresh_from_db()
    assert (with_text.status, with_text.text, with_text.error_code) == ("interrupted", "Hel", "worker_lost")
    assert status_of(without.pk) == "queued"

    claim(without)
    lose(job_of(without))
    assert settle_stalled() == [without.pk]
    assert status_of(without.pk) == "failed"
    assert settle_stalled() == []


def test_an_answer_that_cannot_be_settled_keeps_no_other_from_it() -> None:
    answers = [begin(), begin(), begin()]
    for answer in answers:
        claim(answer)
        MessageChunk.objects.create(message=answer, start=0, text="Hi")
        lose(job_of(answer))
    # What cannot be reckoned: a cost beyond the column.
    spoilt = answers[0].generations.get()
    spoilt.model.prices.update(output_price=999_999, input_price=999_999)
    Generation.objects.filter(pk=spoilt.pk).update(input_tokens=2_000_000_000)

    assert set(settle_stalled()) == {answers[1].pk, answers[2].pk}


@pytest.mark.django_db(transaction=True)
def test_nobody_waits_for_an_answer_that_somebody_holds() -> None:
    answer = begin()
    claim(answer)
    lose(job_of(answer))
    settled: list[bool] = []

    def try_to_settle() -> None:
        settled.append(settle(message_id=answer.pk))
        connections.close_all()

    with transaction.atomic():
        Message.objects.select_for_update().get(pk=answer.pk)
        other = threading.Thread(target=try_to_settle)
        other.start()
        other.join(20)
        assert settled == [False]


@pytest.mark.parametrize("claimed", [True, False], ids=["running", "pending"])
def test_p1_a_title_whose_worker_died_is_closed(claimed: bool) -> None:
    answer = begin("What is a record?")
    plan = claim(answer)
    assert finish_answer(plan=plan, finished=FINISHED, text="", progress=CallProgress())
    title = title_of(answer)
    late = claim_title(generation_id=title.pk) if claimed else None
    assert settle_stalled() == []
    assert title.job_id is not None
    lose(title.job_id)

    settle_stalled()

    title.refresh_from_db()
    assert (title.status, title.error_code) == ("interrupted", "worker_lost")
    assert title.finished_at is not None
    if late:  # wakes up and changes nothing
        finish_title(plan=late, finished=FINISHED, text="", progress=CallProgress())
        title.refresh_from_db()
        assert title.status == "interrupted"
    answer.conversation.refresh_from_db()
    assert answer.conversation.title == "What is a record?"


def test_a_background_response_that_is_given_up_is_forgotten() -> None:
    answer = begin()
    claim(answer)
    call = answer.generations.get()
    Generation.objects.filter(pk=call.pk).update(
        response_id="resp_1", parameters=call.parameters | {"background": True}
    )
    Message.objects.filter(pk=answer.pk).update(attempt=5)
    lose(job_of(answer))

    assert settle_stalled() == [answer.pk]

    assert jobs(FORGET_TASK) == [{"response_id": "resp_1"}]
