"""The panel of a review beside a transcript: why it is wanted, whose it is, and what was found."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest

from conversations.models import Conversation
from records import sitting
from records.admin.review_forms import VerdictForm
from records.models import Review, ReviewReason
from records.services.reviewing import CLAIM_HOURS

MOST_REASONS = 12


@dataclass(frozen=True, slots=True)
class ReviewPanel:
    """What templates/admin/records/_review.html takes, as `review_panel`."""

    conversation: Conversation
    review: Review | None
    """The open one."""
    reasons: list[ReviewReason]
    """Its first ones."""
    more: int
    """How many reasons there are beside these."""
    past: list[Review]
    """Those with a verdict, the latest first."""
    is_own: bool
    """It is the reviewer's own conversation, which others review."""
    is_mine: bool
    """The reviewer has claimed it."""
    form: VerdictForm | None
    problem: str
    hours: int = CLAIM_HOURS


def review_panel(
    request: HttpRequest, conversation: Conversation, *, form: VerdictForm | None = None, problem: str = ""
) -> ReviewPanel:
    """Return the panel for the person who asks, who must have the right to review; in a constant number of queries.

    What earlier reviewers noted is told within a sitting alone.
    """
    reviews = list(
        Review.objects.filter(conversation=conversation)
        .select_related("claimed_by")
        .prefetch_related("labels")
        .order_by("-pk")
    )
    review = next((one for one in reviews if one.state in Review.OPEN), None)
    reasons = ReviewReason.objects.filter(review=review).select_related("policy").order_by("at", "pk")
    is_mine = review is not None and review.claimed_by_id == request.user.pk
    return ReviewPanel(
        conversation=conversation,
        review=review,
        reasons=list(reasons[:MOST_REASONS]) if review else [],
        more=max(reasons.count() - MOST_REASONS, 0) if review else 0,
        past=[one for one in reviews if one.state == Review.State.DONE] if sitting.reason(request) else [],
        is_own=conversation.owner_id == request.user.pk,
        is_mine=is_mine,
        form=form or (VerdictForm() if is_mine else None),
        problem=problem,
    )
