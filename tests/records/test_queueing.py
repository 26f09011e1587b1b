"""What the policies want reviewed comes into the queue, each occasion once."""

from __future__ import annotations

import datetime
import uuid
from decimal import Decimal

import pytest
from django.utils import timezone

from conversations.ids import uuid7
from conversations.models import Conversation, Generation, Message
from conversations.services import index_messages
from records.models import Review, ReviewReason
from records.services.occasions import is_sampled
from records.services.queueing import fill_queue
from records.services.reviewing import claim_next, decide_review
from tests.admin.record import make_answer, make_conversation, make_prompt, make_thread
from tests.factories import make_assistant
from tests.records.reviews import fill, make_policy, make_refused, make_reviewer, rate, refuse, rest

pytestmark = pytest.mark.django_db


def decide(verdict: str = "fine") -> Review:
    """Give a verdict on what waits longest."""
    reviewer = make_reviewer()
    review = claim_next(reviewer=reviewer)
    assert review is not None
    return decide_review(review_id=review.pk, reviewer=reviewer, verdict=verdict)


def test_a_refused_answer_comes_into_the_queue_and_others_do_not() -> None:
    policy = make_policy("refused")
    refused = make_refused()
    make_thread()
    assert fill() == {refused.pk}
    reason = ReviewReason.objects.get()
    answer = refused.messages.get(status="refused")
    assert (reason.policy, reason.message_id, reason.at) == (policy, answer.pk, answer.finished_at)


def test_a_second_run_brings_nothing_in_twice() -> None:
    make_policy("refused")
    make_policy("sample", percent=100)
    rest(make_refused())
    assert fill_queue() == 2
    assert fill_queue() == 0
    assert fill_queue(look_back=datetime.timedelta(days=7)) == 0
    assert (Review.objects.count(), ReviewReason.objects.count()) == (1, 2)


def test_a_bad_rating_comes_in_also_when_it_is_given_long_after_the_answer() -> None:
    make_policy("feedback")
    old, liked = make_thread(), make_thread()
    past = timezone.now() - datetime.timedelta(days=90)
    Message.objects.filter(conversation=old).update(created_at=past, finished_at=past)
    assert fill() == set()
    rate(old.messages.latest("id"))
    rate(liked.messages.latest("id"), "up")
    assert fill() == {old.pk}


def test_an_answer_that_is_refused_long_after_it_was_begun_comes_in() -> None:
    make_policy("refused")
    long_ago = timezone.now() - datetime.timedelta(minutes=40)
    began = uuid.UUID(int=int(long_ago.timestamp() * 1000) << 80 | uuid7().int & (2**80 - 1))
    running = make_answer(make_prompt(make_conversation()), status="streaming", id=began, created_at=long_ago)
    index_messages()
    assert fill() == set()
    Message.objects.filter(pk=running.pk).update(status="refused", finished_at=timezone.now())
    assert fill() == {running.conversation_id}


def test_words_are_found_once_they_are_indexed_in_messages_and_not_in_titles() -> None:
    policy = make_policy("keywords", keywords='umbrella\n"blue moon" -harvest')
    wet, phrase = make_conversation(title="A"), make_conversation(title="B")
    make_prompt(wet, "Where are my umbrellas?")
    said = make_prompt(phrase, "Once in a blue moon")
    make_prompt(make_conversation(title="umbrella"), "Nothing of that kind")
    make_prompt(make_conversation(title="C"), "The blue moon of the harvest")
    assert fill() == set()
    index_messages()
    assert fill() == {wet.pk, phrase.pk}
    reason = ReviewReason.objects.get(review__conversation=phrase)
    assert (reason.policy, reason.message_id, reason.words) == (policy, said.pk, '"blue moon" -harvest')


def test_words_are_found_however_late_they_are_indexed() -> None:
    make_policy("keywords", keywords="umbrella", since=datetime.timedelta(days=2))
    hours_ago = timezone.now() - datetime.timedelta(hours=5)
    late = make_prompt(make_conversation(), "My umbrella")
    early = uuid.UUID(int=int(hours_ago.timestamp() * 1000) << 80 | uuid7().int & (2**80 - 1))
    Message.objects.filter(pk=late.pk).update(id=early, created_at=hours_ago)
    fill()
    fill()
    index_messages()
    assert fill() == {late.conversation_id}


def test_the_same_conversations_are_sampled_however_often_it_is_looked() -> None:
    policy = make_policy("sample", percent=Decimal("40"))
    conversations = [rest(make_thread()).pk for _ in range(30)]
    expected = {pk for pk in conversations if is_sampled(pk, Decimal("40"))}
    assert fill() == expected
    policy.percent = Decimal("70")
    policy.save()
    assert fill() >= expected
    assert fill() == {pk for pk in conversations if is_sampled(pk, Decimal("70"))}


@pytest.mark.parametrize("percent", [Decimal("0.01"), Decimal("5"), Decimal("33.33"), Decimal("100")])
def test_a_sample_is_as_large_as_it_says(percent: Decimal) -> None:
    count, all_of_them = sum(is_sampled(uuid7(), percent) for _ in range(20_000)), 20_000
    expected = float(percent) / 100 * all_of_them
    assert abs(count - expected) <= 5 * (expected * (1 - float(percent) / 100)) ** 0.5 + 1e-9 + (percent < 1) * 10


def test_a_sampled_conversation_waits_until_nothing_more_is_said() -> None:
    make_policy("sample", percent=100)
    conversation = make_thread()
    assert fill() == set()
    rest(conversation)
    assert fill() == {conversation.pk}


def test_a_concluded_conversation_is_sampled_at_once() -> None:
    make_policy("sample", percent=100)
    conversation = make_thread(state="concluded", concluded_at=timezone.now())
    assert fill() == {conversation.pk}


def test_a_dear_conversation_comes_in_by_what_all_its_calls_cost() -> None:
    make_policy("cost", cost=Decimal("0.50"))
    dear, cheap = make_thread(turns=3), make_thread(turns=3)
    Generation.objects.filter(conversation=dear).update(cost=Decimal("0.17"))
    Generation.objects.filter(conversation=cheap).update(cost=None)
    assert fill() == {dear.pk}
    assert ReviewReason.objects.get().cost == Decimal("0.51")


def test_one_open_review_gathers_all_reasons() -> None:
    make_policy("refused"), make_policy("feedback"), make_policy("sample", percent=100)
    conversation = make_refused()
    assert fill() == {conversation.pk}
    rate(conversation.messages.latest("id"))
    rest(conversation)
    fill()
    reasons = Review.objects.get().reasons
    assert set(reasons.values_list("policy__kind", flat=True)) == {"refused", "feedback", "sample"}


def test_after_a_verdict_only_what_is_new_opens_another_review() -> None:
    make_policy("refused"), make_policy("sample", percent=100)
    conversation = rest(make_refused())
    fill()
    decide()
    assert fill() == set()
    make_answer(make_prompt(conversation))
    assert fill() == set()
    again = refuse(conversation)
    assert fill() == {conversation.pk}
    assert Review.objects.get(state="waiting").reasons.get().message_id == again.pk


def test_a_rating_that_is_given_again_after_a_verdict_opens_another_review() -> None:
    make_policy("feedback")
    answer = make_thread().messages.latest("id")
    rate(answer)
    fill()
    rate(answer)
    fill()
    assert ReviewReason.objects.count() == 1  # the review was open
    decide()
    assert fill() == set()
    rate(answer)
    assert fill() == {answer.conversation_id}


def test_cost_opens_another_review_when_as_much_again_was_spent() -> None:
    make_policy("cost", cost=Decimal("1"))
    conversation = make_thread()
    calls = Generation.objects.filter(conversation=conversation)
    calls.update(cost=Decimal("1.50"))
    fill()
    calls.update(cost=Decimal("2"))
    fill()
    assert ReviewReason.objects.get().cost == 2
    decide()
    for cost, is_back in (("2.99", False), ("3", True)):
        calls.update(cost=Decimal(cost))
        assert (fill() == {conversation.pk}) is is_back


def test_a_policy_looks_at_what_came_after_it_with_its_assistant_alone() -> None:
    assistant = make_assistant()
    make_policy("refused", assistant=assistant)
    make_policy("feedback", since=-datetime.timedelta(minutes=1))
    wanted, other = make_refused(assistant=assistant), make_refused()
    rate(other.messages.latest("id"))
    assert fill() == {wanted.pk}


def test_a_disabled_policy_brings_nothing_in() -> None:
    policy = make_policy("refused", is_enabled=False)
    make_refused()
    assert fill() == set()
    policy.is_enabled = True
    policy.save()
    assert len(fill()) == 1  # said within the last minutes


def test_what_a_continued_conversation_repeats_is_not_found_again() -> None:
    make_policy("refused")
    first = make_refused()
    fill()
    decide()
    original = first.messages.latest("id")
    continued = make_conversation(continued_from=first)
    make_answer(make_prompt(continued), status="refused", copy_of=original)
    assert fill() == set()
    assert Conversation.objects.count() == 2
