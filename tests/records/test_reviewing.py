"""A review has one reviewer at a time, one verdict, and an audit event for each deed."""

from __future__ import annotations

import datetime
import json
import uuid
from collections.abc import Callable
from functools import partial

import pytest
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from audit.models import AuditEvent
from conversations.models import Conversation
from records.models import Review, ReviewLabel
from records.services.reviewing import (
    CannotReview,
    claim_conversation,
    claim_next,
    claim_review,
    decide_review,
    release_claims,
    return_review,
    reviews_of,
)
from tests.admin.record import make_thread
from tests.records.reviews import fill, make_policy, make_refused, make_review, make_reviewer
from tests.together import at_once

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(db: None) -> User:
    return make_reviewer(first_name="Ada", last_name="Lovelace")


@pytest.fixture
def bob(db: None) -> User:
    return make_reviewer(first_name="Bob")


def told(kind: str) -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(kind=kind))


def test_who_claims_has_it_and_others_are_told_by_whom(ada: User, bob: User) -> None:
    review = make_review()
    claim_review(review_id=review.pk, reviewer=ada, reason="Case 7")
    claim_review(review_id=review.pk, reviewer=ada)  # pressed twice
    with pytest.raises(CannotReview, match="Ada Lovelace claimed this just now"):
        claim_review(review_id=review.pk, reviewer=bob)
    Review.objects.update(claimed_at=timezone.now() - datetime.timedelta(hours=2))
    with pytest.raises(CannotReview, match="Ada Lovelace claimed this 2\xa0hours ago"):
        decide_review(review_id=review.pk, reviewer=bob, verdict="fine")
    (event,) = told("review.claimed")
    assert (event.actor_id, event.object_id, event.reason) == (ada.pk, str(review.pk), "Case 7")
    assert event.subject_id == review.conversation.owner_id
    assert event.details == {"conversation": str(review.conversation_id)}


def test_a_verdict_is_given_once_with_labels_and_a_cleaned_note(ada: User) -> None:
    review = make_review()
    labels = [ReviewLabel.objects.create(name=name) for name in ("Tone", "Privacy")]
    claim_review(review_id=review.pk, reviewer=ada)
    verdict = {"verdict": "concern", "label_ids": [label.pk for label in labels], "note": " One\x00\r\ntwo \ud800 "}
    for _ in range(2):  # sent twice
        decide_review(review_id=review.pk, reviewer=ada, reason="Case 7", **verdict)  # type: ignore[arg-type]
    review.refresh_from_db()
    assert (review.state, review.verdict, review.note) == ("done", "concern", "One\ufffd\ntwo \ufffd")
    assert set(review.labels.all()) == set(labels)
    (event,) = told("review.decided")
    assert event.details == {
        "conversation": str(review.conversation_id),
        "verdict": "concern",
        "labels": [label.pk for label in labels],
    }
    with pytest.raises(CannotReview, match="You have given your verdict"):
        decide_review(review_id=review.pk, reviewer=ada, verdict="fine")
    with pytest.raises(CannotReview, match="You have given your verdict"):
        return_review(review_id=review.pk, reviewer=ada)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        pytest.param({"verdict": ""}, "Choose what you found", id="none"),
        pytest.param({"verdict": "guilty"}, "Choose what you found", id="unknown"),
        pytest.param({"note": "x" * 5001}, "has 5,001 characters; at most 5,000", id="long"),
        pytest.param({"label_ids": [0]}, "not offered any more", id="label"),
    ],
)
def test_verdicts_that_make_no_sense_are_refused(ada: User, given: dict[str, object], words: str) -> None:
    review = make_review()
    claim_review(review_id=review.pk, reviewer=ada)
    with pytest.raises(CannotReview, match=words):
        decide_review(**{"review_id": review.pk, "reviewer": ada, "verdict": "fine"} | given)  # type: ignore[arg-type]
    review.refresh_from_db()
    assert review.state == "claimed"


def test_a_disabled_label_is_not_put_on_anything(ada: User) -> None:
    review, label = make_review(), ReviewLabel.objects.create(name="Old", is_enabled=False)
    claim_review(review_id=review.pk, reviewer=ada)
    with pytest.raises(CannotReview, match="not offered"):
        decide_review(review_id=review.pk, reviewer=ada, verdict="fine", label_ids=[label.pk])


def test_what_is_given_back_waits_again_at_its_old_place(ada: User, bob: User) -> None:
    first, _ = make_review(), make_review()
    assert claim_next(reviewer=ada) == first
    with pytest.raises(CannotReview, match="Ada Lovelace claimed"):
        return_review(review_id=first.pk, reviewer=bob)
    return_review(review_id=first.pk, reviewer=ada)
    return_review(review_id=first.pk, reviewer=ada)  # pressed twice
    assert len(told("review.returned")) == 1
    with pytest.raises(CannotReview, match="went back to the queue"):
        decide_review(review_id=first.pk, reviewer=ada, verdict="fine")
    assert claim_next(reviewer=bob) == first


def test_nobody_reviews_what_they_said_themselves(ada: User) -> None:
    own = make_review(owner=ada)
    with pytest.raises(CannotReview, match="your own conversation"):
        claim_review(review_id=own.pk, reviewer=ada)
    with pytest.raises(CannotReview, match="your own conversation"):
        claim_conversation(conversation_id=own.conversation_id, reviewer=ada)
    assert claim_next(reviewer=ada) is None
    other = make_review()
    assert claim_next(reviewer=ada) == other


def test_a_conversation_that_is_come_across_is_claimed_in_the_queue_or_outside(ada: User, bob: User) -> None:
    waiting, found = make_review(), make_thread()
    assert claim_conversation(conversation_id=waiting.conversation_id, reviewer=ada) == waiting
    review = claim_conversation(conversation_id=found.pk, reviewer=ada)
    assert (review.conversation, review.claimed_by, review.reasons.count()) == (found, ada, 0)
    with pytest.raises(CannotReview, match="Ada Lovelace claimed"):
        claim_conversation(conversation_id=found.pk, reviewer=bob)
    decide_review(review_id=review.pk, reviewer=ada, verdict="fine")
    again = claim_conversation(conversation_id=found.pk, reviewer=bob)
    assert again != review


def test_claims_that_are_left_lying_go_back_to_the_queue(ada: User) -> None:
    left, fresh = make_review(), make_review()
    for review in (left, fresh):
        claim_review(review_id=review.pk, reviewer=ada)
    assert release_claims() == 0
    Review.objects.filter(pk=left.pk).update(claimed_at=timezone.now() - datetime.timedelta(hours=24, minutes=1))
    assert release_claims() == 1
    left.refresh_from_db()
    fresh.refresh_from_db()
    assert (left.state, left.claimed_by, fresh.state) == ("waiting", None, "claimed")
    (event,) = told("review.returned")
    assert (event.actor_id, event.details["hours"], event.details["claimed_by"]) == (None, 24, ada.pk)


def test_nobody_reviews_what_is_being_removed(ada: User) -> None:
    policy, review = make_policy("refused"), make_review()
    Conversation.objects.filter(pk=review.conversation_id).update(removal_begun_at=timezone.now())
    assert claim_next(reviewer=ada) is None
    with pytest.raises(CannotReview, match="is being removed"):
        claim_review(review_id=review.pk, reviewer=ada)
    with pytest.raises(Conversation.DoesNotExist):
        claim_conversation(conversation_id=review.conversation_id, reviewer=ada)
    fill()
    assert not policy.reasons.exists()


def test_a_deed_that_is_undone_leaves_no_event(ada: User) -> None:
    review = make_review()
    with transaction.atomic():
        claim_review(review_id=review.pk, reviewer=ada)
        transaction.set_rollback(True)
    review.refresh_from_db()
    assert review.state == "waiting"
    assert told("review.claimed") == []
    with pytest.raises(Review.DoesNotExist):
        claim_review(review_id=uuid.uuid4(), reviewer=ada)


def test_reviews_are_told_as_plain_values(ada: User) -> None:
    make_policy("refused", name="Refusals")
    conversation, other = make_refused(), make_thread()
    fill()
    review = claim_next(reviewer=ada)
    assert review is not None
    label = ReviewLabel.objects.create(name="Tone")
    decide_review(review_id=review.pk, reviewer=ada, verdict="concern", label_ids=[label.pk], note="Rude.")
    told_reviews = reviews_of([conversation.pk, other.pk])
    assert list(told_reviews) == [conversation.pk]
    (told_review,) = json.loads(json.dumps(told_reviews[conversation.pk]))
    assert told_review["verdict"] == "concern"
    assert told_review["labels"] == ["Tone"]
    assert told_review["note"] == "Rude."
    assert told_review["reviewer"] == {"id": ada.pk, "name": "Ada Lovelace"}
    assert told_review["reasons"][0]["policy"] == "Refusals"
    assert told_review["reasons"][0]["message"] == str(conversation.messages.get(status="refused").pk)


def told_at_once(*deeds: Callable[[], object]) -> list[object]:
    """Do these at the same moment; return what each gave, or was told."""
    came = at_once(*deeds, refusals=(CannotReview,))
    return [one.message if isinstance(one, CannotReview) else one for one in came]


@pytest.mark.django_db(transaction=True)
def test_of_two_who_claim_at_once_one_wins_and_the_other_is_told_by_whom() -> None:
    ada, bob = make_reviewer(first_name="Ada"), make_reviewer(first_name="Bob")
    for _ in range(5):
        review = make_review()
        results = told_at_once(
            partial(claim_review, review_id=review.pk, reviewer=ada),
            partial(claim_review, review_id=review.pk, reviewer=bob),
        )
        review.refresh_from_db()
        assert review.claimed_by is not None
        assert sorted(map(str, results)) == sorted([str(review), f"{review.claimed_by} claimed this just now."])
    assert len(told("review.claimed")) == 5


@pytest.mark.django_db(transaction=True)
def test_all_who_ask_for_the_next_at_once_get_different_ones() -> None:
    reviewers = [make_reviewer() for _ in range(4)]
    for _ in range(4):
        make_review()
    results = told_at_once(*[partial(claim_next, reviewer=one) for one in reviewers])
    got = [result.pk for result in results if isinstance(result, Review)]
    assert len(set(got)) == len(got) == 4


@pytest.mark.django_db(transaction=True)
def test_a_reason_and_a_verdict_that_come_at_once_lose_neither() -> None:
    make_policy("refused")
    reviewer = make_reviewer()
    for _ in range(4):
        conversation = make_refused()
        review = claim_conversation(conversation_id=conversation.pk, reviewer=reviewer)
        told_at_once(
            fill,
            partial(decide_review, review_id=review.pk, reviewer=reviewer, verdict="fine"),
        )
        review.refresh_from_db()
        assert review.state == "done"
        assert Review.objects.filter(conversation=conversation, reasons__isnull=False).count() == 1
        waiting = Review.objects.filter(conversation=conversation, state="waiting")
        assert waiting.count() == (0 if review.reasons.exists() else 1)
