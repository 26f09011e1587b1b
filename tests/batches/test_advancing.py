"""What the worker does with a batch: every prompt becomes one conversation, a few at a time, in turns."""

from __future__ import annotations

import json

import pytest
from django.db import transaction
from pytest_django import Settings

from accounts.models import User
from batches.models import Batch, BatchItem
from batches.services import advance, advancing, make_batch
from batches.services.advancing import begin_next, settle_items
from batches.services.jobs import CARRY_ON_TASK, PRIORITY, is_carried_on
from conversations.models import Assistant, Conversation, Generation, LanguageModel, Message
from conversations.services import Refusal, Refused, hide_conversation, retry_answer, stop_answer
from tests.batches.given import answer_running, begin_all, go_through, make, make_lines, running, statuses
from tests.factories import make_user
from tests.services.calls import fetch, jobs, sql

pytestmark = pytest.mark.django_db


def test_a_batch_is_waited_for_and_nothing_of_it_said_until_the_worker_comes(owner: User, assistant: Assistant) -> None:
    batch = make(owner, assistant, 3)
    assert (batch.state, batch.total, statuses(batch)) == ("running", 3, ["waiting"] * 3)
    assert jobs(CARRY_ON_TASK) == [{"timestamp": 0, "after": 0}]
    assert not Message.objects.exists()


def test_each_prompt_becomes_a_conversation_once(owner: User, assistant: Assistant) -> None:
    batch = make(owner, assistant, 10)
    go_through(batch)

    assert (batch.state, batch.counts, batch.problem) == ("done", {"completed": 10}, "")
    assert batch.expires_at is not None
    conversations = list(Conversation.objects.order_by("pk"))
    assert [conversation.title for conversation in conversations] == [f"Letters: id-{n}" for n in range(1, 11)]
    assert {(one.owner_id, one.assistant_id, one.is_title_provisional) for one in conversations} == {
        (owner.pk, assistant.pk, False)
    }
    for item in batch.items.all():
        assert item.message is not None
        assert (item.prompt, item.tries, item.conversation_id) == ("", 1, item.message.conversation_id)
        assert item.message.parent is not None
        assert item.message.parent.text == f"Prompt {item.number}"
    assert Message.objects.count() == 20
    assert not Generation.objects.exclude(purpose="answer").exists()


def test_q1_a_few_of_a_person_are_answered_at_a_time_in_the_order_of_the_file(
    owner: User, assistant: Assistant, settings: Settings
) -> None:
    settings.BATCH_PARALLEL_ANSWERS = 2
    batch = make(owner, assistant, 5)
    assert begin_all() == 2
    assert statuses(batch) == ["running"] * 2 + ["waiting"] * 3
    answer_running(batch)
    assert begin_all() == 2
    assert statuses(batch) == ["completed"] * 2 + ["running"] * 2 + ["waiting"]


def test_q1_batches_of_a_person_share_what_one_may_have(owner: User, assistant: Assistant, settings: Settings) -> None:
    settings.BATCH_PARALLEL_ANSWERS = 4
    batches = [make(owner, assistant, 5), make(owner, assistant, 5), make(make_user(), assistant, 5)]
    assert begin_all() == 8
    assert [len(running(batch)) for batch in batches] == [2, 2, 4]


def test_q1_all_people_together_leave_room_in_the_worker_and_take_turns(assistant: Assistant) -> None:
    batches = [make(make_user(), assistant, 5) for _ in range(16)]
    assert begin_all() == advancing.MOST_TOGETHER
    assert {len(running(batch)) for batch in batches} == {3, 4}


def test_answers_to_batches_come_after_everything_that_people_wait_for(owner: User, assistant: Assistant) -> None:
    batch = make(owner, assistant, 1)
    assert begin_next()
    query = "SELECT priority, queue_name FROM procrastinate_jobs WHERE task_name = 'conversations.tasks.answer'"
    assert sql(query) == [(PRIORITY, "answers")]
    assert sql("SELECT min(priority) FROM procrastinate_jobs WHERE task_name <> 'conversations.tasks.answer'") == [(0,)]
    assert len(running(batch)) == 1


@pytest.mark.parametrize("ending", ["incomplete", "refused", "stopped", "failed"])
def test_an_answer_that_ends_otherwise_is_told_as_it_ended(owner: User, assistant: Assistant, ending: str) -> None:
    batch = make(owner, assistant, 2)
    begin_all()
    answer_running(batch, status=ending, error_code="content_policy" if ending == "failed" else "")
    batch.refresh_from_db()
    assert (statuses(batch), batch.state, batch.counts) == ([ending] * 2, "done", {ending: 2})


def test_i4_a_driver_that_died_in_the_middle_left_nothing_and_one_that_comes_twice_doubles_nothing(
    owner: User, assistant: Assistant
) -> None:
    batch = make(owner, assistant, 1)
    with transaction.atomic():
        assert begin_next()
        transaction.set_rollback(True)
    assert (statuses(batch), Message.objects.count()) == (["waiting"], 0)
    assert begin_next()
    # As if what was noted had been lost, though what was said is there.
    BatchItem.objects.update(status="waiting", conversation=None, message=None, prompt="Prompt 1", tries=0)
    assert begin_next()
    assert (Message.objects.count(), Conversation.objects.count()) == (2, 1)


def test_advancing_tells_when_to_look_again(owner: User, assistant: Assistant) -> None:
    assert advance() is None
    batch = make(owner, assistant, 1)
    assert advance() == advancing.BUSY_SECONDS
    answer_running(batch)
    assert advance() is None


def test_so_many_prompts_are_taken_in_one_go_and_the_next_goes_on(
    owner: User, assistant: Assistant, settings: Settings
) -> None:
    batch = make(owner, assistant, 205)
    settings.MAX_PROMPT_CHARS = 3
    assert advance() == advancing.BUSY_SECONDS
    assert statuses(batch) == ["failed"] * 200 + ["waiting"] * 5
    advance()
    assert advance() is None
    batch.refresh_from_db()
    assert (batch.state, batch.counts) == ("done", {"failed": 205})


def test_one_job_at_a_time_carries_batches_on(owner: User, assistant: Assistant) -> None:
    make(owner, assistant, 1)
    make(owner, assistant, 1)
    first, second = (row[0] for row in sql("SELECT id FROM procrastinate_jobs ORDER BY id"))
    assert not is_carried_on(job_id=second, after=0)
    fetch(first)
    assert is_carried_on(job_id=second, after=0)
    assert not is_carried_on(job_id=second, after=first)
    assert not is_carried_on(job_id=first, after=0)
    sql("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '31 s'")
    assert not is_carried_on(job_id=second, after=0)


def test_a2_what_its_owner_does_with_an_answer_is_left_as_it_is(owner: User, assistant: Assistant) -> None:
    batch = make(owner, assistant, 3)
    begin_all()
    stopped, hidden, retried = running(batch)
    stop_answer(message=stopped)
    hide_conversation(conversation=hidden.conversation)
    retry_answer(message=stop_answer(message=retried))
    settle_items()
    batch.refresh_from_db()
    assert (statuses(batch), batch.state) == (["stopped"] * 3, "done")


def test_f2_a_prompt_that_cannot_be_sent_any_more_fails_alone(
    owner: User, assistant: Assistant, settings: Settings
) -> None:
    lines = make_lines(2)
    batch = make_batch(owner=owner, assistant=assistant, name="Long", lines=lines)
    BatchItem.objects.filter(number=1).update(prompt="x" * 50)
    settings.MAX_PROMPT_CHARS = 20
    go_through(batch)
    assert statuses(batch) == ["failed", "completed"]
    item = batch.items.get(number=1)
    assert (item.error_code, item.conversation) == ("too_long", None)
    assert item.error_text.startswith("The message has 50 characters")


@pytest.mark.parametrize("what", ["assistant", "model"])
def test_f18_a_batch_whose_assistant_is_gone_ends_and_says_so(owner: User, assistant: Assistant, what: str) -> None:
    batch = make(owner, assistant, 3)
    if what == "assistant":
        Assistant.objects.update(is_enabled=False)
    else:
        LanguageModel.objects.update(is_enabled=False)
    begin_all()
    batch.refresh_from_db()
    assert (batch.state, statuses(batch), Message.objects.count()) == ("cancelled", ["waiting"] * 3, 0)
    assert "is not available" in batch.problem


def test_a9_nothing_begins_for_who_is_deactivated(owner: User, assistant: Assistant) -> None:
    batch = make(owner, assistant, 3)
    User.objects.filter(pk=owner.pk).update(is_active=False)
    begin_all()
    batch.refresh_from_db()
    assert (batch.state, batch.problem) == ("cancelled", advancing.DEACTIVATED)
    assert not Message.objects.exists()


@pytest.mark.parametrize("end", ["assistant", "owner"])
def test_what_still_runs_of_a_batch_that_ended_early_is_counted_as_it_ends(
    owner: User, assistant: Assistant, settings: Settings, end: str
) -> None:
    settings.BATCH_PARALLEL_ANSWERS = 2
    batch = make(owner, assistant, 4)
    begin_all()
    first, _ = running(batch)
    if end == "assistant":
        Assistant.objects.update(is_enabled=False)
    else:
        User.objects.filter(pk=owner.pk).update(is_active=False)
    stop_answer(message=first)
    assert advance() is None
    batch.refresh_from_db()
    assert (batch.state, batch.counts) == ("cancelled", {"stopped": 1, "running": 1, "waiting": 2})
    answer_running(batch)
    ended_at = batch.ended_at
    batch.refresh_from_db()
    assert (batch.state, batch.counts) == ("cancelled", {"stopped": 1, "completed": 1, "waiting": 2})
    assert batch.problem
    assert batch.ended_at == ended_at


def test_f18_a_batch_for_an_assistant_of_others_is_not_made(owner: User, assistant: Assistant) -> None:
    Assistant.objects.update(is_enabled=False)
    with pytest.raises(Refused) as refused:
        make(owner, assistant)
    assert refused.value.code == Refusal.ASSISTANT_UNAVAILABLE
    assert not Batch.objects.exists()


def test_q1_so_many_batches_of_a_person_may_be_under_way_and_so_many_kept(owner: User, assistant: Assistant) -> None:
    for _ in range(10):
        make(owner, assistant, 1)
    with pytest.raises(Refused, match="10 of your batches are under way already") as refused:
        make(owner, assistant, 1)
    assert refused.value.code == Refusal.LIMIT
    make(make_user(), assistant, 1)

    Batch.objects.update(state="done", ended_at="2026-01-01T00:00Z", expires_at="2126-01-01T00:00Z")
    row = Batch.objects.filter(owner=owner)[0]
    copies = [Batch(owner=owner, assistant=assistant, name="x", total=1, state="done") for _ in range(190)]
    for copy in copies:
        copy.ended_at, copy.expires_at = row.ended_at, row.expires_at
    Batch.objects.bulk_create(copies)
    with pytest.raises(Refused, match=r"You have 200 batches\. Delete some"):
        make(owner, assistant, 1)


def test_the_database_holds_no_prompt_twice(owner: User, assistant: Assistant) -> None:
    batch = make(owner, assistant, 2)
    begin_all()
    rows = sql("SELECT row_to_json(i)::text FROM batches_batchitem AS i WHERE batch_id = %s", str(batch.pk))
    assert not any("Prompt" in json.loads(row[0])["prompt"] for row in rows)
