"""What reviewers do with reviews: each deed a POST that leads to the next page, or says why not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html

from accounts.models import User
from conversations.models import Conversation
from records import sitting
from records.admin.record import RecordAdmin
from records.admin.review_forms import VerdictForm
from records.admin.review_panel import review_panel
from records.models import Review
from records.review_sums import PERIODS, read_progress
from records.services import reviewing
from records.services.reviewing import CannotReview


class ReviewDeeds(RecordAdmin):
    """The addresses of deeds below those of the queue. Where one fails, its page shows what was typed."""

    def get_urls(self) -> list[URLPattern]:
        """Add what is done with a review, and the counts."""
        return [
            path("next/", self._guarded(self.next_view), name="records_review_next"),
            path("progress/", self._guarded(self.progress_view, "GET"), name="records_review_progress"),
            path("of/<uuid:conversation_id>/claim/", self._guarded(self.start_view), name="records_review_start"),
            path("<uuid:review_id>/claim/", self._guarded(self.claim_view), name="records_review_claim"),
            path("<uuid:review_id>/return/", self._guarded(self.return_view), name="records_review_return"),
            path("<uuid:review_id>/verdict/", self._guarded(self.verdict_view), name="records_review_verdict"),
            *super().get_urls(),
        ]

    def next_view(self, request: HttpRequest) -> HttpResponse:
        """Claim what waits longest."""
        if (why := sitting.reason(request)) is None:
            return sitting.ask(request)
        return self._go_on(request, why)

    def start_view(self, request: HttpRequest, conversation_id: UUID) -> HttpResponse:
        """Claim a conversation, in the queue or not."""
        if (why := sitting.reason(request)) is None:
            return sitting.ask(request)
        conversation = get_object_or_404(Conversation.objects.select_related("owner"), pk=conversation_id)
        try:
            reviewing.claim_conversation(conversation_id=conversation_id, reviewer=_person(request), reason=why)
        except CannotReview as problem:
            return self._refuse(request, conversation, problem.message)
        return _see_other(f"{transcript(conversation_id)}#review")

    def claim_view(self, request: HttpRequest, review_id: UUID) -> HttpResponse:
        """Claim a review."""
        if (why := sitting.reason(request)) is None:
            return sitting.ask(request)
        review = self._review(review_id)
        try:
            reviewing.claim_review(review_id=review_id, reviewer=_person(request), reason=why)
        except CannotReview as problem:
            return self._refuse(request, review.conversation, problem.message)
        return _see_other(f"{transcript(review.conversation_id)}#review")

    def return_view(self, request: HttpRequest, review_id: UUID) -> HttpResponse:
        """Give a review back. It shows nothing of anybody, so it asks for no reason."""
        review = self._review(review_id)
        try:
            reviewing.return_review(
                review_id=review_id, reviewer=_person(request), reason=sitting.reason(request) or ""
            )
        except CannotReview as problem:
            return self._refuse(request, review.conversation, problem.message, VerdictForm(request.POST))
        messages.success(request, "It is back in the queue.")
        return _see_other(reverse("admin:records_review_changelist"))

    def verdict_view(self, request: HttpRequest, review_id: UUID) -> HttpResponse:
        """Give a verdict. A sitting that has ended meanwhile is no reason to lose what was written."""
        review = self._review(review_id)
        form = VerdictForm(request.POST)
        if not form.is_valid():
            return self._refuse(request, review.conversation, "", form, status=422)
        why = sitting.reason(request)
        try:
            reviewing.decide_review(
                review_id=review_id,
                reviewer=_person(request),
                verdict=form.cleaned_data["verdict"],
                label_ids=[label.pk for label in form.cleaned_data["labels"]],
                note=form.cleaned_data["note"],
                reason=why or "",
            )
        except CannotReview as problem:
            return self._refuse(request, review.conversation, problem.message, form)
        messages.success(request, format_html("Your verdict on “{}” is kept.", review.conversation.title))
        if request.POST.get("then") == "next":
            return self.next_view(request)
        return _see_other(reverse("admin:records_review_changelist"))

    def progress_view(self, request: HttpRequest) -> HttpResponse:
        """Show who decided how much, and how the queue went."""
        period = PERIODS.get(request.GET.get("period", ""), PERIODS["month"])
        context = self.admin_site.each_context(request) | {
            "title": "Progress of reviews",
            "opts": self.opts,
            "media": self.media,
            "progress": read_progress(period),
            "periods": PERIODS.values(),
        }
        return TemplateResponse(request, "admin/records/review/progress.html", context)

    def _go_on(self, request: HttpRequest, why: str) -> HttpResponse:
        review = reviewing.claim_next(reviewer=_person(request), reason=why)
        if review is None:
            messages.info(request, "Nothing waits for you now.")
            return _see_other(reverse("admin:records_review_changelist"))
        return _see_other(f"{transcript(review.conversation_id)}#review")

    def _guarded(self, view: Callable[..., HttpResponse], verb: str = "POST") -> Callable[..., HttpResponse]:
        """Let reviewers alone to a view, by the verb that it is for."""

        def guarded(request: HttpRequest, **of: UUID) -> HttpResponse:
            if request.method != verb and not (verb == "GET" and request.method == "HEAD"):
                return HttpResponseNotAllowed([verb])
            if not self.has_view_permission(request):
                raise PermissionDenied
            try:
                return view(request, **of)
            except (Review.DoesNotExist, Conversation.DoesNotExist) as gone:  # removed in this moment
                raise Http404 from gone

        return cast(Callable[..., HttpResponse], self.admin_site.admin_view(guarded))

    def _review(self, review_id: UUID) -> Review:
        review = Review.objects.present().select_related("conversation__owner").filter(pk=review_id).first()
        if review is None:
            raise Http404
        return review

    def _refuse(
        self,
        request: HttpRequest,
        conversation: Conversation,
        problem: str,
        form: VerdictForm | None = None,
        status: int = 409,
    ) -> HttpResponse:
        """Say what was not done and why, with what was typed."""
        context = self.admin_site.each_context(request) | {"opts": self.opts, "media": self.media}
        context |= self.page_context(request, conversation, form, problem)
        return TemplateResponse(request, "admin/records/review/change_form.html", context, status=status)

    def page_context(
        self, request: HttpRequest, conversation: Conversation, form: VerdictForm | None = None, problem: str = ""
    ) -> dict[str, Any]:
        return {
            "title": conversation.title,
            "subtitle": None,
            "transcript": transcript(conversation.pk),
            "review_panel": review_panel(request, conversation, form=form, problem=problem),
        }


def _person(request: HttpRequest) -> User:
    return cast(User, request.user)


def transcript(conversation_id: UUID) -> str:
    return reverse("admin:conversations_conversation_change", args=[conversation_id])


def _see_other(address: str) -> HttpResponse:
    return HttpResponseRedirect(address, status=303)
