"""Events are numbered in the order of their commits, without a gap that a reader could pass over."""

from __future__ import annotations

import random
import threading
import time

import pytest
from django.db import IntegrityError, connections, transaction

from conversations.models import Conversation, Event
from conversations.services.events import emit
from tests.factories import make_assistant, make_user

KIND = Event.Kind.CONVERSATION_CONCLUDED


def make_conversations(count: int) -> list[Conversation]:
    owner, assistant = make_user(), make_assistant()
    return [Conversation.objects.create(owner=owner, assistant=assistant, title="Events") for _ in range(count)]


@pytest.mark.django_db(transaction=True)
def test_parallel_transactions_are_numbered_as_they_commit_and_readers_see_no_gap() -> None:
    conversations = make_conversations(40)
    committed: list[int] = []
    seen: list[list[int]] = []
    is_over = threading.Event()
    order = threading.Lock()

    def write(mine: list[Conversation]) -> None:
        for conversation in mine:
            with transaction.atomic():
                time.sleep(random.uniform(0, 0.01))  # the work that the event tells of
                event = emit(kind=KIND, conversation=conversation, data={})
                time.sleep(random.uniform(0, 0.01))
                if random.random() < 0.2:
                    transaction.set_rollback(True)
                else:
                    transaction.on_commit(lambda seq=event.seq: note(seq))  # type: ignore[misc]
        connections.close_all()

    def note(seq: int) -> None:
        with order:
            committed.append(seq)

    def read() -> None:
        while not is_over.is_set():
            seen.append(list(Event.objects.order_by("seq").values_list("seq", flat=True)))
        connections.close_all()

    reader = threading.Thread(target=read)
    writers = [threading.Thread(target=write, args=(conversations[place::8],)) for place in range(8)]
    reader.start()
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    is_over.set()
    reader.join(60)
    count = len(committed)
    assert 0 < count <= 40
    assert sorted(committed) == list(range(1, count + 1))
    assert len(seen) > 10
    assert all(look == list(range(1, len(look) + 1)) for look in seen)


@pytest.mark.django_db(transaction=True)
def test_an_event_appears_with_its_transaction_and_not_before() -> None:
    first, second = make_conversations(2)
    with transaction.atomic():
        emit(kind=KIND, conversation=first, data={})
        later = threading.Thread(target=emit_alone, args=(second,))
        later.start()
        later.join(0.5)
        assert later.is_alive()  # it waits for this transaction, whose number is lower
    later.join(20)
    assert list(Event.objects.values_list("seq", "conversation")) == [(1, first.pk), (2, second.pk)]


def emit_alone(conversation: Conversation) -> None:
    with transaction.atomic():
        emit(kind=KIND, conversation=conversation, data={})
    connections.close_all()


@pytest.mark.django_db(transaction=True)
def test_an_event_outside_a_transaction_is_refused() -> None:
    (conversation,) = make_conversations(1)
    with pytest.raises(transaction.TransactionManagementError):
        emit(kind=KIND, conversation=conversation, data={})


@pytest.mark.django_db
def test_a_conversation_is_told_to_be_concluded_once() -> None:
    (conversation,) = make_conversations(1)
    emit(kind=KIND, conversation=conversation, data={})
    with pytest.raises(IntegrityError), transaction.atomic():
        emit(kind=KIND, conversation=conversation, data={})
    assert Event.objects.count() == 1
