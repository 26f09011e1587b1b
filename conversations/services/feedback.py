"""Ratings of answers. They are no part of what was said, so a concluded conversation's answers can be rated too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from conversations.models import Feedback, Message
from conversations.services.refusals import Refusal, Refused
from conversations.text import clean_text

if TYPE_CHECKING:
    from accounts.models import User

REASON_CHARS = 1000


def rate_answer(*, message: Message, user: User, rating: str, reason: str | None = None) -> Feedback | None:
    """Keep what `user` thinks of an answer of theirs ("up" or "down"), or take it back (""); return what is kept.

    Without a reason (None) the one given before stays, as long as the rating does. Two tabs that rate at once leave one
    rating, the later one. Raises Refused (not_rateable, unknown_rating, too_long).
    """
    if message.role != Message.Role.ASSISTANT or message.owner_id != user.pk:
        raise Refused(Refusal.NOT_RATEABLE, "Only an answer of your own conversations can be rated.")
    if message.is_supplied:
        raise Refused(
            Refusal.NOT_RATEABLE, "A program supplied this answer; no model gave it here, so it is not rated."
        )
    if message.is_running:
        raise Refused(Refusal.NOT_RATEABLE, "This answer is still being written. Rate it when it is finished.")
    if rating and rating not in Feedback.Rating.values:
        raise Refused(Refusal.UNKNOWN_RATING, "This page was out of date. Reload it and rate the answer again.")
    with transaction.atomic():
        if not rating:
            Feedback.objects.filter(message=message, user=user).delete()
            return None
        given = Feedback.objects.select_for_update().filter(message=message, user=user).first()
        kept = given.reason if given and given.rating == rating else ""
        Feedback.objects.bulk_create(
            [
                Feedback(
                    message=message,
                    user=user,
                    rating=rating,
                    reason=kept if reason is None else _accepted(reason),
                    updated_at=timezone.now(),
                )
            ],
            update_conflicts=True,
            unique_fields=["message", "user"],
            update_fields=["rating", "reason", "updated_at"],
        )
        return Feedback.objects.get(message=message, user=user)


def _accepted(reason: str) -> str:
    reason = clean_text(reason.replace("\r\n", "\n")).strip()
    if len(reason) > REASON_CHARS:
        raise Refused(
            Refusal.TOO_LONG,
            f"The reason has {len(reason):,} characters; at most {REASON_CHARS:,} can be kept. Shorten it.",
        )
    return reason
