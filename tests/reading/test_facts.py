"""The sums of conversations follow whatever happens to them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone

from conversations.models import Attachment, Conversation, Feedback, Generation, Message
from records.models import ConversationFact, StaleConversation
from records.services.facts import count_stale, keep_facts, mark_all_stale
from tests.admin.record import make_answer, make_conversation, make_prompt, make_thread
from tests.factories import make_file, make_model

pytestmark = pytest.mark.django_db


def _fact(conversation: Conversation) -> ConversationFact:
    keep_facts()
    assert count_stale() == 0
    return ConversationFact.objects.get(pk=conversation.pk)


def test_a_conversation_is_summed_up() -> None:
    conversation = make_thread(3)
    prompt = conversation.messages.order_by("id")[0]
    for status in ("failed", "interrupted", "refused", "stopped", "incomplete"):
        make_answer(prompt, status=status)
    other = make_model("other-model")
    Generation.objects.filter(message__status="refused").update(model=other, cost=None, started_at=timezone.now(),
                                                                finished_at=timezone.now())  # fmt: skip
    fact = _fact(conversation)
    assert (fact.messages, fact.answers) == (11, 8)
    assert (fact.failed, fact.refused, fact.stopped, fact.cut_off) == (2, 1, 1, 1)
    assert (fact.tokens, fact.cost, fact.unpriced_calls) == (8 * 15, 7 * Decimal("0.000075"), 1)
    assert fact.model_ids == sorted([make_model().pk, other.pk])
    assert (fact.files, fact.thumbs_up, fact.thumbs_down) == (0, 0, 0)
    conversation.refresh_from_db()
    assert fact.last_activity_at == conversation.last_activity_at


def test_a_conversation_in_which_nothing_was_said_has_sums_too() -> None:
    assert _fact(make_conversation()).messages == 0


type Change = Callable[[Conversation], object]


def _answer(conversation: Conversation) -> Message:
    return conversation.messages.filter(role="assistant").order_by("id")[0]


def _call(conversation: Conversation) -> Generation:
    return Generation.objects.get(message=_answer(conversation))


def _rate(conversation: Conversation, rating: str = "down") -> Feedback:
    return Feedback.objects.create(message=_answer(conversation), user=conversation.owner, rating=rating)


def _turned(conversation: Conversation) -> object:
    return Feedback.objects.filter(pk=_rate(conversation, "up").pk).update(rating="down")


def _sent_later(conversation: Conversation) -> object:
    file = make_file(conversation.owner)
    return Attachment.objects.filter(pk=file.pk).update(message=_answer(conversation).parent)


def _made_by_the_model(conversation: Conversation) -> object:
    return make_file(conversation.owner, message=_answer(conversation), data=None, origin="model")


CHANGES: dict[str, tuple[Change, dict[str, object]]] = {
    "a prompt": (lambda one: make_prompt(one, parent=_answer(one)), {"messages": 3}),
    "an answer": (lambda one: make_answer(_answer(one)), {"messages": 3, "answers": 2, "tokens": 30}),
    "a late ending": (
        lambda one: Message.objects.filter(pk=_answer(one).pk).update(status="interrupted", finished_at=timezone.now()),
        {"failed": 1},
    ),
    "a late count": (
        lambda one: Generation.objects.filter(pk=_call(one).pk).update(output_tokens=500, cost="2.5"),
        {"tokens": 510, "cost": Decimal("2.5")},
    ),
    "a call that ended": (
        lambda one: Generation.objects.filter(pk=_call(one).pk).update(
            status="stopped", cost=None, started_at=timezone.now(), finished_at=timezone.now()
        ),
        {"unpriced_calls": 1, "cost": 0},
    ),
    "a rating": (_rate, {"thumbs_down": 1}),
    "a changed rating": (_turned, {"thumbs_down": 1, "thumbs_up": 0}),
    "a file that was sent": (_sent_later, {"files": 1}),
    "a file of the model": (_made_by_the_model, {"files": 1}),
    "activity": (
        lambda one: Conversation.objects.filter(pk=one.pk).update(last_activity_at="2030-01-01T00:00Z"),
        {"last_activity_at": timezone.datetime.fromisoformat("2030-01-01T00:00Z")},  # type: ignore[attr-defined]
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_no_change_is_missed(change: str) -> None:
    conversation, other = make_thread(), make_thread()
    _fact(other)
    happen, expected = CHANGES[change]
    happen(conversation)
    assert {row.conversation_id for row in StaleConversation.objects.all()} == {conversation.pk}
    fact = _fact(conversation)
    assert {name: getattr(fact, name) for name in expected} == expected


def test_what_is_taken_back_is_taken_off() -> None:
    conversation = make_thread()
    rating, file = _rate(conversation), make_file(conversation.owner, message=_answer(conversation))
    assert (_fact(conversation).thumbs_down, _fact(conversation).files) == (1, 1)
    rating.delete()
    Attachment.objects.filter(pk=file.pk).update(state="deleted")
    assert (_fact(conversation).thumbs_down, _fact(conversation).files) == (0, 0)
    Attachment.objects.filter(pk=file.pk).delete()
    assert count_stale() == 1


def test_a_step_of_the_work_on_an_answer_leaves_no_mark() -> None:
    conversation = make_thread()
    Message.objects.filter(pk=_answer(conversation).pk).update(status="queued")
    _fact(conversation)
    Message.objects.filter(pk=_answer(conversation).pk).update(status="streaming", attempt=1)
    Message.objects.filter(pk=_answer(conversation).pk).update(activity="Running code")
    Generation.objects.filter(pk=_call(conversation).pk).update(first_text_at=timezone.now())
    Conversation.objects.filter(pk=conversation.pk).update(title="Another", seen_at=timezone.now())
    assert count_stale() == 0


def test_a_conversation_that_is_gone_leaves_its_mark_to_nobody() -> None:
    conversation = make_conversation()
    _fact(conversation)
    StaleConversation.objects.create(conversation_id=conversation.pk)
    conversation.delete()
    keep_facts()
    assert (count_stale(), ConversationFact.objects.count()) == (0, 0)


def test_all_can_be_reckoned_anew() -> None:
    conversations = [make_thread(), make_thread(2)]
    keep_facts()
    ConversationFact.objects.all().update(messages=99)
    out = StringIO()
    call_command("rebuild_facts", stdout=out)
    assert "2 conversations are marked" in out.getvalue()
    assert [_fact(one).messages for one in conversations] == [2, 4]


def test_nothing_is_done_when_there_is_no_time() -> None:
    make_thread()
    assert keep_facts(seconds=0) == 0
    assert count_stale() > 0


@pytest.mark.django_db(transaction=True)
def test_what_is_committed_late_is_taken_in() -> None:
    """The change began before the job ran and is committed after it."""
    conversation = make_thread()
    begun, ran = threading.Event(), threading.Event()

    def change() -> None:
        with transaction.atomic():
            make_prompt(conversation, parent=_answer(conversation))
            begun.set()
            ran.wait(10)
        connection.close()

    writer = threading.Thread(target=change)
    writer.start()
    begun.wait(10)
    keep_facts()
    assert ConversationFact.objects.get().messages == 2
    ran.set()
    writer.join()
    assert _fact(conversation).messages == 3


@pytest.mark.django_db(transaction=True)
def test_one_reckons_at_a_time() -> None:
    make_thread()
    counts: list[int] = []

    def run() -> None:
        counts.append(keep_facts())
        connection.close()

    with transaction.atomic():
        keep_facts(seconds=5)
        other = threading.Thread(target=run)
        other.start()
        other.join()
    assert counts == [0]


def test_marking_all_begins_with_the_newest() -> None:
    first, second = make_conversation(), make_conversation()
    keep_facts()
    assert mark_all_stale() == 2
    marked = StaleConversation.objects.order_by("id").values_list("conversation_id", flat=True)
    assert list(marked) == [second.pk, first.pk]
