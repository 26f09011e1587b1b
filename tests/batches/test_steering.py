"""Cancelling a batch, going on with it, deleting it, and what is left of it after a month."""

from __future__ import annotations

import datetime

import pytest
from django.utils import timezone

from accounts.models import User
from batches.models import Batch, BatchItem
from batches.services import advance, cancel_batch, delete_batch, expire_batches, forget_batches_of, resume_batch
from batches.services.jobs import CARRY_ON_TASK
from conversations.models import Assistant, Conversation, Message
from conversations.services import Refusal, Refused
from tests.batches.given import answer_running, begin_all, go_through, make, running, statuses
from tests.factories import make_user
from tests.services.calls import jobs, sql

pytestmark = pytest.mark.django_db


def refusal(deed: object, batch: Batch) -> Refusal:
    with pytest.raises(Refused) as refused:
        deed(batch=batch)  # type: ignore[operator]
    return refused.value.code


def test_cancelling_stops_what_runs_and_keeps_what_is_answered(owner: User, assistant: Assistant) -> None:
    batch = make(owner, assistant, 6)
    begin_all()
    answer_running(batch)
    begin_all()
    batch = cancel_batch(batch=batch)
    assert (batch.state, batch.counts) == ("cancelled", {"completed": 4, "stopped": 2})
    assert not Message.objects.running().exists()
    assert (begin_all(), advance()) == (0, None)
    assert refusal(cancel_batch, batch) == Refusal.NOT_RUNNING


def test_cancelling_notes_what_ended_a_moment_before(owner: User, assistant: Assistant) -> None:
    batch = make(owner, assistant, 2)
    begin_all()
    Message.objects.filter(pk=running(batch)[0].pk).update(status="completed", text="Just in time")
    assert cancel_batch(batch=batch).counts == {"completed": 1, "stopped": 1}


def test_going_on_asks_what_was_not_asked_and_once_more_what_was_stopped_in_its_conversation(
    owner: User, assistant: Assistant
) -> None:
    batch = make(owner, assistant, 6)
    begin_all()
    cancel_batch(batch=batch)
    batch = resume_batch(batch=batch)
    assert (batch.state, statuses(batch), batch.expires_at) == ("running", ["waiting"] * 6, None)
    assert len(jobs(CARRY_ON_TASK)) == 2
    assert refusal(resume_batch, batch) == Refusal.BUSY
    go_through(batch)
    assert (batch.state, batch.counts, Conversation.objects.count()) == ("done", {"completed": 6}, 6)
    assert Message.objects.filter(role="user").count() == 6
    assert Message.objects.filter(role="assistant").count() == 10
    assert refusal(resume_batch, batch) == Refusal.NOT_RETRYABLE
    batch.refresh_from_db()
    assert batch.state == "done"


def test_going_on_with_one_that_is_done_asks_again_for_what_failed(owner: User, assistant: Assistant) -> None:
    batch = make(owner, assistant, 2)
    begin_all()
    answer_running(batch, status="failed", error_code="content_policy")
    go_through(resume_batch(batch=batch))
    assert statuses(batch) == ["completed"] * 2
    assert Conversation.objects.count() == 2


def test_going_on_is_refused_while_the_assistant_is_gone(owner: User, assistant: Assistant) -> None:
    batch = cancel_batch(batch=make(owner, assistant, 2))
    Assistant.objects.update(is_enabled=False)
    assert refusal(resume_batch, batch) == Refusal.ASSISTANT_UNAVAILABLE


def test_deleting_stops_what_runs_and_leaves_the_conversations(owner: User, assistant: Assistant) -> None:
    batch, other = make(owner, assistant, 6), make(make_user(), assistant, 1)
    begin_all()
    delete_batch(batch=batch)
    delete_batch(batch=batch)
    assert list(Batch.objects.all()) == [other]
    assert BatchItem.objects.count() == 1
    assert Message.objects.filter(owner=owner).running().count() == 0
    assert Conversation.objects.filter(owner=owner).count() == 4
    for deed in (cancel_batch, resume_batch):
        with pytest.raises(Batch.DoesNotExist):
            deed(batch=batch)


def test_v1_after_a_month_the_lines_go_and_the_row_stays(owner: User, assistant: Assistant) -> None:
    over, cancelled, young, under_way = (make(owner, assistant, 2) for _ in range(4))
    go_through(over)
    go_through(young)
    cancel_batch(batch=cancelled)
    begin_all()
    assert expire_batches() == 0
    Batch.objects.exclude(pk=young.pk).exclude(pk=under_way.pk).update(expires_at=timezone.now())
    assert expire_batches() == 2
    assert expire_batches() == 0
    for batch in (over, cancelled):
        batch.refresh_from_db()
        assert (batch.state, batch.items.count()) == ("expired", 0)
        assert refusal(resume_batch, batch) == Refusal.TOO_LATE
    assert over.counts == {"completed": 2}
    assert (young.items.count(), under_way.items.count()) == (2, 2)
    assert Conversation.objects.count() == 8


def test_v2_batches_of_a_person_are_forgotten(owner: User, assistant: Assistant) -> None:
    other = make(make_user(), assistant, 1)
    make(owner, assistant, 2, name="Marzipan")
    begin_all()
    assert forget_batches_of(person_id=owner.pk) == 1
    assert list(Batch.objects.all()) == [other]
    assert Message.objects.filter(owner=owner).running().count() == 0


def test_the_database_refuses_an_end_without_its_times(owner: User, assistant: Assistant) -> None:
    batch = make(owner, assistant, 1)
    before = timezone.now()
    assert cancel_batch(batch=batch).expires_at > before + datetime.timedelta(days=29)  # type: ignore[operator]
    with pytest.raises(Exception, match="ended_batch_has_its_times"):
        sql("UPDATE batches_batch SET expires_at = NULL")
