"""Review as work: taking a conversation from the queue, giving it back, and saying what was found."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.timesince import timesince

from audit import services as audit
from conversations.models import Conversation
from conversations.text import clean_text, is_blank
from records.models import Review, ReviewLabel
from records.services.queueing import open_reviews

if TYPE_CHECKING:
    from accounts.models import User

CLAIM_HOURS = 24
"""How long a claim may lie before it goes back to the queue."""
NOTE_CHARS = 5_000
_RELEASED_AT_ONCE = 100


class CannotReview(Exception):
    """What a reviewer asked for cannot be done; the text says why, to them. Nothing was written."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def claim_review(*, review_id: UUID, reviewer: User, reason: str = "") -> Review:
    """Let `reviewer` have a waiting review. Claiming again what is one's own changes nothing.

    Of two who claim at once one wins, and the other is told by whom. `reason` is that of the sitting, for the audit.
    Raises Review.DoesNotExist, and CannotReview where somebody else has it, it is done, or it is of one's own words.
    """
    with transaction.atomic():
        return _claim(_locked(review_id), reviewer, reason)


def claim_conversation(*, conversation_id: UUID, reviewer: User, reason: str = "") -> Review:
    """Let `reviewer` review a conversation that they came across, whether or not it is in the queue.

    Raises Conversation.DoesNotExist, and CannotReview as `claim_review` does.
    """
    with transaction.atomic():
        conversation = Conversation.objects.get(pk=conversation_id)
        _refuse_own(conversation, reviewer)
        return _claim(open_reviews([conversation_id])[conversation_id], reviewer, reason)


def claim_next(*, reviewer: User, reason: str = "") -> Review | None:
    """Let `reviewer` have the review that waits longest; None where none waits that they may do.

    Two who ask at once get two different ones, without waiting for each other.
    """
    with transaction.atomic():
        waiting = Review.objects.present().select_for_update(skip_locked=True, of=("self",))
        oldest = waiting.filter(state=Review.State.WAITING).exclude(conversation__owner=reviewer).order_by("pk").first()
        return _claim(oldest, reviewer, reason) if oldest else None


def return_review(*, review_id: UUID, reviewer: User, reason: str = "") -> Review:
    """Give a claimed review back to the queue, at its old place. One that waits already stays as it is.

    Raises Review.DoesNotExist, and CannotReview where it is somebody else's or done.
    """
    with transaction.atomic():
        review = _locked(review_id)
        if review.state == Review.State.WAITING:
            return review
        _refuse_others(review, reviewer)
        if review.state == Review.State.DONE:
            raise CannotReview("You have given your verdict on this already.")
        _release(review)
        _note("review.returned", review, reviewer, reason)
        return review


def decide_review(
    *,
    review_id: UUID,
    reviewer: User,
    verdict: str,
    label_ids: Collection[int] = (),
    note: str = "",
    reason: str = "",
) -> Review:
    """Give the verdict on a review that `reviewer` has claimed, with labels and a note, for good.

    The same verdict sent twice is one. Raises Review.DoesNotExist, and CannotReview where it is not theirs (any more)
    or done, the verdict or a label is unknown, or the note is too long.
    """
    note = clean_text(note.replace("\r\n", "\n")).strip()
    note = "" if is_blank(note) else note
    if verdict not in Review.Verdict.values:
        raise CannotReview("Choose what you found.")
    if len(note) > NOTE_CHARS:
        raise CannotReview(f"The note has {len(note):,} characters; at most {NOTE_CHARS:,} can be kept. Shorten it.")
    with transaction.atomic():
        review = _locked(review_id)
        labels = list(ReviewLabel.objects.filter(pk__in=label_ids).order_by("pk"))
        if review.state == Review.State.WAITING:
            raise CannotReview("You have no claim on this any more: it went back to the queue. Claim it again.")
        _refuse_others(review, reviewer)
        if review.state == Review.State.DONE:
            if (review.verdict, review.note, set(review.labels.all())) == (verdict, note, set(labels)):
                return review
            raise CannotReview("You have given your verdict on this already. To change it, review it once more.")
        if len(labels) < len(set(label_ids)) or not all(label.is_enabled for label in labels):
            raise CannotReview("A label that you chose is not offered any more. Look through the labels again.")
        review.state, review.verdict, review.note = Review.State.DONE, verdict, note
        review.decided_at = timezone.now()
        review.save(update_fields=["state", "verdict", "note", "decided_at"])
        review.labels.set(labels)
        _note("review.decided", review, reviewer, reason, verdict=verdict, labels=[label.pk for label in labels])
        return review


def release_claims(*, hours: int = CLAIM_HOURS) -> int:
    """Give back to the queue what was claimed so many hours ago and never decided; return how many.

    A claim that is being decided in this moment is left alone.
    """
    count, before = 0, timezone.now() - datetime.timedelta(hours=hours)
    while True:
        with transaction.atomic():
            left = list(
                Review.objects.select_for_update(skip_locked=True, of=("self",))
                .select_related("conversation")
                .filter(state=Review.State.CLAIMED, claimed_at__lt=before)
                .order_by("pk")[:_RELEASED_AT_ONCE]
            )
            for review in left:
                had_it = review.claimed_by_id
                _release(review)
                _note("review.returned", review, None, "", hours=hours, claimed_by=had_it)
        count += len(left)
        if len(left) < _RELEASED_AT_ONCE:
            return count


def reviews_of(conversation_ids: Iterable[UUID]) -> dict[UUID, list[dict[str, Any]]]:
    """Return the reviews of conversations as plain values for JSON, oldest first, in a constant number of queries.

    Conversations without any are left out.
    """
    found: dict[UUID, list[dict[str, Any]]] = {}
    reviews = (
        Review.objects.filter(conversation__in=list(conversation_ids))
        .select_related("claimed_by")
        .prefetch_related("labels", "reasons__policy")
        .order_by("pk")
    )
    for review in reviews:
        found.setdefault(review.conversation_id, []).append(_told(review))
    return found


def _told(review: Review) -> dict[str, Any]:
    reasons = sorted(review.reasons.all(), key=lambda reason: (reason.at, reason.pk))
    return {
        "id": str(review.pk),
        "conversation": str(review.conversation_id),
        "state": review.state,
        "created_at": review.created_at.isoformat(),
        "claimed_at": review.claimed_at.isoformat() if review.claimed_at else None,
        "decided_at": review.decided_at.isoformat() if review.decided_at else None,
        "reviewer": {"id": review.claimed_by_id, "name": str(review.claimed_by)} if review.claimed_by else None,
        "verdict": review.verdict,
        "labels": [label.name for label in review.labels.all()],
        "note": review.note,
        "reasons": [
            {
                "policy": reason.policy.name,
                "kind": reason.policy.kind,
                "message": str(reason.message_id) if reason.message_id else None,
                "at": reason.at.isoformat(),
                "words": reason.words,
                "cost": str(reason.cost) if reason.cost is not None else None,
            }
            for reason in reasons
        ],
    }


def _locked(review_id: UUID) -> Review:
    """Return the review, which nobody else changes until the transaction ends.

    Its reviewer is not joined: who had to wait for the lock would see the new id, and not the new person.
    """
    review = Review.objects.select_for_update(of=("self",)).select_related("conversation").get(pk=review_id)
    if review.conversation.removal_begun_at is not None:
        raise CannotReview("This conversation is being removed.")
    return review


def _claim(review: Review, reviewer: User, reason: str) -> Review:
    _refuse_own(review.conversation, reviewer)
    _refuse_others(review, reviewer)
    if review.state == Review.State.DONE:
        raise CannotReview("You have given your verdict on this already.")
    if review.state == Review.State.WAITING:
        review.state, review.claimed_by, review.claimed_at = Review.State.CLAIMED, reviewer, timezone.now()
        review.save(update_fields=["state", "claimed_by", "claimed_at"])
        _note("review.claimed", review, reviewer, reason)
    return review


def _release(review: Review) -> None:
    review.state, review.claimed_by, review.claimed_at = Review.State.WAITING, None, None
    review.save(update_fields=["state", "claimed_by", "claimed_at"])


def _refuse_own(conversation: Conversation, reviewer: User) -> None:
    if conversation.owner_id == reviewer.pk:
        raise CannotReview("This is your own conversation. Somebody else has to review it.")


def _refuse_others(review: Review, reviewer: User) -> None:
    if review.claimed_by is None or review.claimed_by_id == reviewer.pk:
        return
    if review.state == Review.State.DONE:
        raise CannotReview(f"{review.claimed_by} has given the verdict on this {_ago(review.decided_at)}.")
    raise CannotReview(f"{review.claimed_by} claimed this {_ago(review.claimed_at)}.")


def _ago(moment: datetime.datetime | None) -> str:
    if moment is None or timezone.now() - moment < datetime.timedelta(minutes=1):
        return "just now"
    return f"{timesince(moment, depth=1)} ago"


def _note(kind: str, review: Review, actor: User | None, reason: str, **details: audit.Detail) -> None:
    """Write the audit event of a deed; the last thing in its transaction."""
    audit.record(
        kind=kind,
        actor=actor,
        object_type="review",
        object_id=review.pk,
        subject_id=review.conversation.owner_id,
        reason=reason,
        details={"conversation": str(review.conversation_id)} | details,
    )
