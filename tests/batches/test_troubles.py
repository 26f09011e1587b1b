"""Limits that are reached, and a model service that fails: a batch waits, loses nothing, and goes on by itself."""

from __future__ import annotations

import datetime

import pytest
from django.utils import timezone
from pytest_django import Settings

from accounts.models import User
from batches.models import Batch
from batches.services import advance, advancing
from batches.services.advancing import begin_next, settle_items
from conversations.models import Assistant, Conversation, Message, UsageLimit
from conversations.services import conclude_conversation, hide_conversation, send_message, start_conversation
from tests.batches.given import answer_running, begin_all, go_through, make, running, statuses, wait_out
from tests.factories import token
from tests.pages.record import end
from tests.services.calls import sql
from tests.services.limited import limit, use

pytestmark = pytest.mark.django_db


def pause_of(batch: Batch) -> float:
    """Return for how many seconds it waits, rounded up to five."""
    batch.refresh_from_db()
    assert batch.paused_until is not None
    return round((batch.paused_until - timezone.now()).total_seconds() / 5) * 5


def test_q2_at_its_owners_limit_a_batch_waits_and_goes_on_when_it_is_raised(owner: User, assistant: Assistant) -> None:
    limit(1_000, user=owner)
    use(owner, 1_000)
    batch = make(owner, assistant, 2)
    begin_all()
    batch.refresh_from_db()
    assert (batch.state, batch.is_paused, statuses(batch)) == ("running", True, ["waiting"] * 2)
    assert batch.problem.startswith("You have used your 1,000 tokens of today")
    assert pause_of(batch) <= 15 * 60
    assert not Message.objects.exists()
    assert begin_all() == 0
    assert advance() == advancing.IDLE_SECONDS

    UsageLimit.objects.all().delete()
    assert begin_all() == 0
    go_through(batch)
    assert (batch.state, batch.problem, statuses(batch)) == ("done", "", ["completed"] * 2)


def test_q1_a_batch_leaves_its_owner_what_they_write_with(
    owner: User, assistant: Assistant, settings: Settings
) -> None:
    settings.MAX_PARALLEL_ANSWERS = 2
    mine = [
        start_conversation(owner=owner, assistant=assistant, prompt="Hello", client_token=token()) for _ in range(2)
    ]
    batch = make(owner, assistant, 2)
    begin_all()
    assert (statuses(batch), pause_of(batch)) == (["waiting"] * 2, 15)
    assert Message.objects.running().count() == len(mine)


def test_u6_what_the_service_fails_is_asked_again_in_the_same_conversation(owner: User, assistant: Assistant) -> None:
    batch = make(owner, assistant, 1)
    begin_all()
    answer_running(batch, status="failed", error_code="provider_down", error_text="The model service has a fault.")
    batch.refresh_from_db()
    assert (batch.problem, batch.troubles, statuses(batch)) == ("The model service has a fault.", 1, ["waiting"])
    assert (pause_of(batch), begin_all()) == (15, 0)

    wait_out(batch)
    assert begin_all() == 1
    answer_running(batch)
    batch.refresh_from_db()
    assert (batch.state, batch.problem, batch.counts) == ("done", "", {"completed": 1})
    assert (Conversation.objects.count(), Message.objects.count()) == (1, 3)
    assert batch.items.get().tries == 2


def test_u6_while_the_service_is_down_one_prompt_at_a_time_is_tried_and_none_is_used_up(
    owner: User, assistant: Assistant
) -> None:
    batch = make(owner, assistant, 12)
    begin_all()
    answer_running(batch, status="failed", error_code="connection")
    pauses = [pause_of(batch)]
    for _ in range(7):
        wait_out(batch)
        assert begin_all() == 1
        assert begin_all() == 0
        answer_running(batch, status="failed", error_code="connection")
        pauses.append(pause_of(batch))
    assert pauses == [120, 240, 480, *[900] * 5]
    assert sorted(batch.items.values_list("tries", flat=True)) == [0] + [1] * 11
    go_through(batch)
    assert (batch.state, batch.counts, Conversation.objects.count()) == ("done", {"completed": 12}, 12)


def test_u6_a_prompt_that_fails_again_and_again_fails(owner: User, assistant: Assistant) -> None:
    batch = make(owner, assistant, 1)
    for _ in range(advancing.MOST_TRIES):
        wait_out(batch)
        assert begin_all() == 1
        answer_running(batch, status="interrupted", error_code="worker_lost", error_text="It stopped.")
    batch.refresh_from_db()
    assert (batch.state, statuses(batch), batch.problem) == ("done", ["interrupted"], "")
    assert Message.objects.filter(role="assistant").count() == 4


@pytest.mark.parametrize(
    "code", ["no_key", "wrong_key", "quota", "rate_limited", "overloaded", "provider_down", "connection"]
)
def test_u6_an_outage_uses_up_not_even_the_only_prompt_of_a_batch(owner: User, assistant: Assistant, code: str) -> None:
    batch = make(owner, assistant, 1)
    for _ in range(advancing.MOST_TRIES + 2):
        wait_out(batch)
        assert begin_all() == 1
        answer_running(batch, status="failed", error_code=code)
        assert statuses(batch) == ["waiting"]
    for tried in range(advancing.MOST_TRIES - 1):
        assert (batch.items.get().tries, statuses(batch)) == (tried + 1, ["waiting"])
        wait_out(batch)
        assert begin_all() == 1
        answer_running(batch, status="failed", error_code="timeout")
    assert statuses(batch) == ["failed"]


def test_u6_a_prompt_that_the_service_alone_cannot_answer_keeps_no_other_and_fails_at_last(
    owner: User, assistant: Assistant
) -> None:
    batch = make(owner, assistant, 6)
    for _ in range(4):
        wait_out(batch)
        begin_all()
        for answer in running(batch):
            is_first = batch.items.get(message=answer).number == 1
            answer.error_code = "provider_down" if is_first else ""
            end(answer, status="failed" if is_first else "completed")
        settle_items()
    assert statuses(batch) == ["waiting"] + ["completed"] * 5

    # As after a day of it.
    Batch.objects.update(troubles=advancing.MOST_TROUBLES)
    for _ in range(advancing.MOST_TRIES - 1):
        wait_out(batch)
        assert begin_all() == 1
        answer_running(batch, status="failed", error_code="provider_down")
    batch.refresh_from_db()
    assert (batch.state, batch.counts) == ("done", {"completed": 5, "failed": 1})


@pytest.mark.parametrize("deed", ["deleted", "concluded", "went on"])
def test_a2_what_its_owner_did_meanwhile_stands(owner: User, assistant: Assistant, deed: str) -> None:
    batch = make(owner, assistant, 1)
    begin_all()
    answer_running(batch, status="failed", error_code="timeout")
    conversation = Conversation.objects.get()
    if deed == "deleted":
        hide_conversation(conversation=conversation)
    elif deed == "concluded":
        conclude_conversation(conversation=conversation)
    else:
        send_message(owner=owner, conversation_id=conversation.pk, prompt="And?", client_token=token())
    wait_out(batch)
    assert begin_next()
    assert running(batch) == []
    if deed == "went on":
        assert (statuses(batch), pause_of(batch)) == (["waiting"], 15)
    else:
        advance()
        batch.refresh_from_db()
        assert (batch.state, statuses(batch)) == ("done", ["failed"])


def test_a_fault_of_our_own_with_one_batch_holds_up_no_other(owner: User, assistant: Assistant) -> None:
    broken, other = make(owner, assistant, 2, name="Broken"), make(owner, assistant, 2)
    # A database that refuses a row stands in for any mistake that comes to light when a prompt is asked.
    sql(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'No'; END $$;"
        "CREATE TRIGGER refusing BEFORE INSERT ON conversations_conversation FOR EACH ROW"
        " WHEN (NEW.title LIKE 'Broken%%') EXECUTE FUNCTION refuse()"
    )
    begin_all()
    assert (statuses(broken), statuses(other)) == (["waiting"] * 2, ["running"] * 2)
    broken.refresh_from_db()
    assert (broken.problem, pause_of(broken)) == (advancing.FAULT, 900)
    sql("DROP TRIGGER refusing ON conversations_conversation")
    answer_running(other)
    go_through(broken)
    assert (broken.state, broken.problem, statuses(broken)) == ("done", "", ["completed"] * 2)


def test_a_pause_of_one_batch_keeps_no_other(owner: User, assistant: Assistant) -> None:
    paused, other = make(owner, assistant, 1), make(owner, assistant, 1)
    Batch.objects.filter(pk=paused.pk).update(paused_until=timezone.now() + datetime.timedelta(hours=1))
    begin_all()
    assert (statuses(paused), statuses(other)) == (["waiting"], ["running"])
