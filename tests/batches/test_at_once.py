"""Workers and owners who do things with one batch at the same moment."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db.models import F

from accounts.models import User
from batches.models import Batch, BatchItem
from batches.services import advance, cancel_batch, delete_batch, forget_batches_of, make_batch, resume_batch
from conversations.models import Assistant, Conversation, Message, UsageDay
from conversations.services import Refused, stop_answer
from tests.batches.given import make_lines, statuses
from tests.factories import make_assistant, make_model, make_user, token
from tests.live.running import ask, other_connection, until
from tests.services.calls import claim
from tests.together import at_once

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_jobs")]


@pytest.fixture
def owner() -> User:
    make_model()
    return make_user()


@pytest.fixture
def assistant(owner: User) -> Assistant:
    return make_assistant()


def refused_at_once(*deeds: Callable[[], object]) -> list[str]:
    """Do all of it at the same moment; return what was refused."""
    came = at_once(*deeds, refusals=(Refused, Batch.DoesNotExist))
    return sorted(str(getattr(one, "code", "gone")) for one in came if isinstance(one, Exception))


def test_q3_i4_several_workers_begin_no_more_than_there_may_be_and_none_twice(
    owner: User, assistant: Assistant
) -> None:
    batch = make_batch(owner=owner, assistant=assistant, name="Letters", lines=make_lines(8))
    assert refused_at_once(*[advance] * 4) == []
    assert statuses(batch) == ["running"] * 4 + ["waiting"] * 4
    assert (Conversation.objects.count(), Message.objects.count()) == (4, 8)


def test_i4_the_same_batch_made_at_once_is_one(owner: User, assistant: Assistant) -> None:
    once, lines = token(), make_lines(3)

    def make() -> None:
        make_batch(owner=owner, assistant=assistant, name="Letters", lines=lines, client_token=once)

    assert refused_at_once(*[make] * 4) == []
    assert (Batch.objects.count(), BatchItem.objects.count()) == (1, 3)


@pytest.mark.parametrize("round_", range(3))
def test_nothing_of_a_batch_begins_once_it_is_cancelled_or_deleted(
    owner: User, assistant: Assistant, round_: int
) -> None:
    batch, unwanted = (
        make_batch(owner=owner, assistant=assistant, name="Letters", lines=make_lines(4)) for _ in range(2)
    )
    told = refused_at_once(
        advance,
        lambda: cancel_batch(batch=batch),
        lambda: delete_batch(batch=unwanted),
        lambda: cancel_batch(batch=unwanted),
        advance,
    )
    assert set(told) <= {"gone"}
    advance()
    batch.refresh_from_db()
    assert batch.state == "cancelled"
    assert set(statuses(batch)) <= {"waiting", "stopped"}
    assert not Message.objects.running().exists()


def test_one_of_two_who_go_on_with_a_batch_is_told_that_it_is_under_way(owner: User, assistant: Assistant) -> None:
    batch = make_batch(owner=owner, assistant=assistant, name="Letters", lines=make_lines(2))
    cancel_batch(batch=batch)
    assert refused_at_once(*[lambda: resume_batch(batch=batch)] * 2) == ["busy"]
    advance()
    assert statuses(batch) == ["running"] * 2


def cancel_all(*, person_id: int) -> None:
    for batch in Batch.objects.filter(owner_id=person_id):
        cancel_batch(batch=batch)


@pytest.mark.parametrize("deed", [cancel_all, forget_batches_of])
def test_who_stops_batches_takes_all_answers_in_order_and_nothing_that_their_endings_wait_for_before(
    owner: User, assistant: Assistant, deed: Callable[..., object]
) -> None:
    for count in (1, 3) if deed is forget_batches_of else (4,):
        make_batch(owner=owner, assistant=assistant, name="Letters", lines=make_lines(count))
    advance()
    BatchItem.objects.update(number=100 - F("number"))
    answers = list(Message.objects.running().order_by("pk"))
    for answer in answers:
        claim(answer)
    stop_answer(message=answers.pop())  # so that there is a sum of the day
    free = "SELECT id FROM conversations_message WHERE status = 'streaming' FOR NO KEY UPDATE SKIP LOCKED"
    waiting = (
        "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'SELECT%%conversations_message%%'"
    )

    with ThreadPoolExecutor(1) as pool, other_connection() as other:
        other.execute("BEGIN")
        other.execute("SELECT FROM conversations_message WHERE id = %s FOR NO KEY UPDATE", [answers[1].pk])
        doing = pool.submit(refused_at_once, lambda: deed(person_id=owner.pk))
        asyncio.run(until(lambda: ask(waiting)))
        found = ask(free), ask("SELECT calls FROM conversations_usageday FOR NO KEY UPDATE SKIP LOCKED")
        other.execute("ROLLBACK")
    assert found == ([(answers[2].pk,)], [(1,)])
    assert doing.result(30) == []
    assert not Message.objects.running().exists()
    assert UsageDay.objects.get().calls == 4
