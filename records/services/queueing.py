"""Bringing conversations into the queue of reviews: each occasion once, and none passed over."""

from __future__ import annotations

import datetime
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from conversations.files import storage
from conversations.models import Attachment, Conversation, Generation, Message
from records.models import Review, ReviewPolicy, ReviewReason, Watermark
from records.services.occasions import Occasion, find_occasions, first_id_of, moment_of, read_lines

WATERMARK = "review"
LAG = datetime.timedelta(minutes=10)
"""How long something may take from its time stamp to its commit, clocks that differ included."""
LONGEST_WAIT = datetime.timedelta(days=1)
"""How long the watermark waits for what is still to come: an answer that runs, words that are not indexed yet."""
SLICE = datetime.timedelta(hours=1)
RUN_SECONDS = 45.0  # the next run comes after 60

_LOCK = 5_617_204_118_233_907_210  # of who brings in; any number that nobody else locks will do


class _Last(NamedTuple):
    """What is known of an occasion from the latest review that it led to."""

    reason: ReviewReason
    is_open: bool


def fill_queue(*, look_back: datetime.timedelta = datetime.timedelta(0), seconds: float = RUN_SECONDS) -> int:
    """Bring in what the enabled policies find in what happened since the last run; return how many reasons were new.

    Runs may come twice, overlap, or be cut off at any point: an occasion counts once, and the watermark, up to which
    all was taken in, follows each slice of time that was done with. It stays behind what is still to come (an answer
    that runs, words not indexed, files not read, calls that are open), for a day at most. `look_back` looks at so much
    of the past again, for what came later still.
    """
    give_up_at, now = time.monotonic() + seconds, timezone.now()
    policies = list(ReviewPolicy.objects.filter(is_enabled=True))
    if not policies:
        _move_watermark(now - LAG)
        return 0
    known = Watermark.objects.filter(name=WATERMARK).values_list("at", flat=True).first()
    oldest = min(policy.created_at for policy in policies) - LAG  # what it looks at was said later, by its own clock
    start = min(known or oldest, now - LAG - look_back)
    whole_until = min(now - LAG, _first_to_come(start, now))
    count, lines = 0, read_lines(policies)
    for since, until in _slices(max(start, oldest), now + LAG):
        for occasions in find_occasions(policies, lines, since=since, until=until, now=now):
            count += bring_in(occasions)
        _move_watermark(min(until, whole_until))
        if time.monotonic() > give_up_at:
            break
    return count


def bring_in(occasions: Iterable[Occasion]) -> int:
    """Give each conversation of these occasions an open review with all its reasons; return how many were new.

    One conversation has one open review: a new reason joins it, whoever has claimed it. After a verdict another review
    opens for what the earlier ones did not know: another refused answer or another message with the words, a rating
    that was given or changed since, and as much cost again as the policy names. A sample takes a conversation once.
    """
    with transaction.atomic():
        _lock()
        fresh = _fresh(list(occasions))
        reviews = open_reviews({occasion.conversation_id for occasion in fresh})
        ReviewReason.objects.bulk_create(
            [
                ReviewReason(
                    review=reviews[occasion.conversation_id],
                    policy_id=occasion.policy_id,
                    message_id=occasion.message_id,
                    at=occasion.at,
                    words=occasion.words,
                    cost=occasion.cost,
                )
                for occasion in fresh
            ],
            update_conflicts=True,
            unique_fields=["review", "policy", "message_id"],
            update_fields=["at", "words", "cost"],
        )
        return len(fresh)


def open_reviews(conversation_ids: Iterable[UUID]) -> dict[UUID, Review]:
    """Return the open review of each conversation, locked, and make those that are missing.

    To be called in a transaction. A verdict that is given in the same moment closes a review under our hands; then
    there is a new one.
    """
    missing, found = set(conversation_ids), dict[UUID, Review]()
    while missing:
        Review.objects.bulk_create(
            [Review(conversation_id=conversation_id) for conversation_id in sorted(missing)], ignore_conflicts=True
        )
        locked = Review.objects.select_for_update().filter(conversation_id__in=missing, state__in=Review.OPEN)
        found |= {review.conversation_id: review for review in locked.order_by("pk")}
        missing -= found.keys()
    return found


def _lock() -> None:
    """Let one bring in at a time, so that nothing that is known to one is news to the other."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def _fresh(occasions: Sequence[Occasion]) -> list[Occasion]:
    """Return those that no review knows, each once, without those of conversations that are being removed."""
    if not occasions:
        return []
    policies = ReviewPolicy.objects.in_bulk({occasion.policy_id for occasion in occasions})
    conversations = set(
        Conversation.objects.filter(pk__in={occasion.conversation_id for occasion in occasions}).values_list(
            "pk", flat=True
        )
    )
    reasons = (
        ReviewReason.objects.filter(review__conversation__in=conversations, policy__in=policies)
        .select_related("review")
        .order_by("review_id")
    )
    known = {
        (reason.policy_id, reason.review.conversation_id, reason.message_id): _Last(
            reason, reason.review.state != Review.State.DONE
        )
        for reason in reasons
    }
    by_key = {
        (occasion.policy_id, occasion.conversation_id, occasion.message_id): occasion
        for occasion in sorted(occasions, key=lambda occasion: occasion.at)
    }
    return [
        occasion
        for key, occasion in by_key.items()
        if occasion.conversation_id in conversations
        and occasion.policy_id in policies
        and _is_news(policies[occasion.policy_id], occasion, known.get(key))
    ]


def _is_news(policy: ReviewPolicy, occasion: Occasion, last: _Last | None) -> bool:
    if last is None:
        return True
    if policy.kind == ReviewPolicy.Kind.FEEDBACK:
        return occasion.at > last.reason.at
    if occasion.cost is not None and last.reason.cost is not None and policy.cost is not None:
        more = occasion.cost - last.reason.cost
        return more > 0 if last.is_open else more >= policy.cost
    return False


def _first_to_come(start: datetime.datetime, now: datetime.datetime) -> datetime.datetime:
    """Return since when something is still to come that belongs to the time from `start` on; `now` where all is there.

    It is asked before anything is looked at, so that what ends meanwhile is looked at again.
    """
    start = max(start, now - LONGEST_WAIT)
    first = first_id_of(start)
    messages = Message.objects.order_by("pk")
    running = messages.running().filter(created_at__gte=start).values_list("pk", flat=True).first()
    unindexed = messages.exclude(status__in=Message.RUNNING).filter(search_vector=None, pk__gte=first)
    unread = Attachment.objects.filter(
        is_read=False, state=Attachment.State.READY, bucket=storage.bucket(), message__gte=first
    )
    calls = Generation.objects.filter(status__in=Generation.OPEN, created_at__gte=start)
    ids = [
        running,
        unindexed.values_list("pk", flat=True).first(),
        unread.order_by("message_id").values_list("message_id", flat=True).first(),
        calls.order_by("pk").values_list("pk", flat=True).first(),
    ]
    return min((moment_of(row_id) for row_id in ids if row_id is not None), default=now)


def _slices(start: datetime.datetime, end: datetime.datetime) -> Iterator[tuple[datetime.datetime, datetime.datetime]]:
    while start < end:
        until = min(start + SLICE, end)
        yield start, until
        start = until


def _move_watermark(moment: datetime.datetime) -> None:
    """Move the watermark forward, never back: of two runs at once each has looked at all before its own."""
    Watermark.objects.get_or_create(name=WATERMARK, defaults={"at": moment})
    Watermark.objects.filter(name=WATERMARK, at__lt=moment).update(at=moment)
