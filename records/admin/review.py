"""The queue of reviews, and what reviewers do with it."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import BooleanField, Case, Exists, OuterRef, QuerySet, Value, When
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from conversations.templatetags.pages import when
from records import sitting
from records.admin.review_deeds import ReviewDeeds, transcript
from records.admin.review_filters import LabelFilter, PolicyFilter, ReviewerFilter, StandingFilter
from records.models import Review, ReviewPolicy, ReviewReason
from records.services.reviewing import CLAIM_HOURS


@admin.register(Review)
class ReviewAdmin(sitting.NeedsReason, ReviewDeeds):
    """The queue. Its rows lead to the transcripts, where the panel of the review is."""

    list_display = ("thread", "why", "standing", "deed")
    list_display_links = None
    list_filter = (StandingFilter, PolicyFilter, "verdict", LabelFilter, ReviewerFilter, "created_at")
    change_list_template = "admin/records/review/change_list.html"
    change_form_template = "admin/records/review/change_form.html"
    fields = ()

    class Media:
        css = {"all": ("css/review.css", "css/review_queue.css")}

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Show the queue on the first page to reviewers, who have no other right here."""
        return self.has_view_permission(request)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Fetch what a line of the list shows, and whose it is, in a few queries."""
        reviews: QuerySet[Any] = super().get_queryset(request)
        listed: QuerySet[Any] = (
            reviews.filter(conversation__removal_begun_at__isnull=True)
            .select_related("conversation__owner", "claimed_by")
            .prefetch_related("labels")
            .annotate(
                names=ArraySubquery(
                    ReviewPolicy.objects.filter(
                        Exists(ReviewReason.objects.filter(review=OuterRef(OuterRef("pk")), policy=OuterRef("pk")))
                    )
                    .order_by("name")
                    .values("name")
                ),
                is_own=Case(
                    When(conversation__owner_id=request.user.pk, then=Value(True)),
                    default=Value(False),
                    output_field=BooleanField(),
                ),
                is_mine=Case(
                    When(claimed_by_id=request.user.pk, then=Value(True)),
                    default=Value(False),
                    output_field=BooleanField(),
                ),
            )
        )
        return listed

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """Show what waits longest first; of what is done, the latest."""
        return ("-decided_at",) if request.GET.get("standing") == "done" else ("id",)

    @admin.display(description="conversation")
    def thread(self, review: Review) -> SafeString:
        """Return the title, which leads to the transcript, and whose conversation it is."""
        return format_html(
            '<a href="{}">{}</a><span class="review-when">{}</span>',
            transcript(review.conversation_id),
            review.conversation.title,
            review.conversation.owner,
        )

    @admin.display(description="why")
    def why(self, review: Any) -> str:
        """Return the policies that brought it in, each once."""
        return ", ".join(review.names) or "A reviewer came across it"

    @admin.display(description="where it stands", ordering="created_at")
    def standing(self, review: Review) -> SafeString:
        """Return whose it is, or what was found by whom, with the labels."""
        if review.state == Review.State.WAITING:
            return format_html("Waiting, came in {}", when(review.created_at))
        if review.state == Review.State.CLAIMED:
            return format_html("Claimed by {}, {}", review.claimed_by, when(review.claimed_at))
        labels = format_html_join("", ' <span class="review-label">{}</span>', ((one,) for one in review.labels.all()))
        return format_html(
            '<span class="review-verdict review-{}">{}</span> by {}, {}{}',
            review.verdict,
            review.get_verdict_display(),
            review.claimed_by,
            when(review.decided_at),
            labels,
        )

    @admin.display(description="", empty_value="")
    def deed(self, review: Any) -> SafeString | str:
        """Return what can be done with it from the list, whose rows are within one form."""
        if review.state == Review.State.CLAIMED and review.is_mine:
            return format_html('<a class="button" href="{}#review">Go on</a>', transcript(review.conversation_id))
        if review.state != Review.State.WAITING:
            return ""
        if review.is_own:
            return "Your own"
        return format_html(
            '<button type="submit" class="button" formaction="{}" aria-label="Claim “{}”">Claim</button>',
            reverse("admin:records_review_claim", args=[review.pk]),
            review.conversation.title,
        )

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Say how claims end, and whether anything brings conversations in."""
        context = {
            "title": "Queue of reviews",
            "hours": CLAIM_HOURS,
            "has_policies": ReviewPolicy.objects.filter(is_enabled=True).exists(),
            "may_add_policies": request.user.has_perm("records.add_reviewpolicy"),
        }
        return super().changelist_view(request, context | (extra_context or {}))

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> HttpResponse:
        """Show the panel without the transcript."""
        context |= self.page_context(request, obj.conversation)
        return super().render_change_form(request, context, add, change, form_url, obj)
