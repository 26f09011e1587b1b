"""Runs of retention: what each came to; counting beforehand; erasing a person."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString

from accounts.models import User
from conversations.services import Refused
from conversations.templatetags.pages import when
from records.admin.erasure_form import ErasureForm
from records.admin.record import RecordAdmin
from records.erasures import belongings_of, report_of, rows_of
from records.models import RetentionRun
from records.services.erasing import ask_erasure, require_erasable
from records.services.holds import describe, holds_on
from records.services.retention import ask_dry_run


@admin.register(RetentionRun)
class RetentionRunAdmin(RecordAdmin):
    """The list of runs with a button that counts, a page for each, and the page that erases a person."""

    list_display = ("begun", "what", "standing", "conversations", "kept", "by")
    list_filter = ("kind", "state")
    list_select_related = ("requested_by",)
    ordering = ("-pk",)
    change_list_template = "admin/records/retentionrun/change_list.html"

    class Media:
        css = {"all": ("css/retention.css",)}

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Whoever may see runs."""
        return request.user.has_perm("records.view_retentionrun")

    def get_urls(self) -> list[URLPattern]:
        """Add the addresses of what is done."""
        guard = self.admin_site.admin_view
        return [
            path("dry-run/", guard(self.dry_run_view), name="records_retentionrun_dry"),
            path("erase/<int:person_id>/", guard(self.erase_view), name="records_retentionrun_erase"),
            path("<uuid:run_id>/report/", guard(self.report_view), name="records_retentionrun_report"),
            *super().get_urls(),
        ]

    @admin.display(description="begun", ordering="pk")
    def begun(self, run: RetentionRun) -> SafeString:
        """Return when."""
        return when(run.started_at)

    @admin.display(description="what", ordering="kind")
    def what(self, run: RetentionRun) -> str:
        """Return what it carries out."""
        if run.kind == RetentionRun.Kind.ERASURE:
            return f"Erasure of person number {run.person_id}"
        return "Policies, counted only" if run.is_dry else "Policies"

    @admin.display(description="standing", ordering="state")
    def standing(self, run: RetentionRun) -> str:
        """Return where it stands."""
        return f"{run.get_state_display()}, waiting" if run.is_waiting else run.get_state_display()

    @admin.display(description="conversations")
    def conversations(self, run: RetentionRun) -> str:
        """Return how many it removed, or would remove."""
        return f"{run.counts.get('conversations', 0):,}"

    @admin.display(description="kept")
    def kept(self, run: RetentionRun) -> str:
        """Return how many a hold kept, and how many wait for what is on its way in them."""
        counted = (("by a hold", run.counts.get("held")), ("waiting", run.counts.get("waiting")))
        return ", ".join(f"{count:,} {words}" for words, count in counted if count) or "–"

    @admin.display(description="asked for by", ordering="requested_by")
    def by(self, run: RetentionRun) -> str:
        """Return who asked for it."""
        return str(run.requested_by or "The nightly job")

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show what a run came to. Nothing can be changed."""
        run = cast(RetentionRun | None, self.get_object(request, object_id))
        if not self.has_view_permission(request, run) or request.method == "POST":
            raise PermissionDenied
        if run is None:
            return super().change_view(request, object_id)  # which says so
        context = self._context(request, str(run)) | {
            "run": run,
            "what": self.what(run),
            "standing": self.standing(run),
            "rows": rows_of(run),
            "may_see_tombstones": request.user.has_perm("records.view_tombstone"),
            "may_report": self._may_report(request, run),
        }
        return TemplateResponse(request, "admin/records/retentionrun/run.html", context)

    def dry_run_view(self, request: HttpRequest) -> HttpResponse:
        """Have a job count what the policies would remove now."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self.has_view_permission(request):
            raise PermissionDenied
        run = ask_dry_run(person=cast(User, request.user))
        return _see_other("admin:records_retentionrun_change", run.pk)

    def erase_view(self, request: HttpRequest, person_id: int) -> HttpResponse:
        """Show what erasing a person means, and do it once their username was typed and a reason given."""
        if not request.user.has_perm("records.erase_person"):
            raise PermissionDenied
        person, asked_by = get_object_or_404(get_user_model(), pk=person_id), cast(User, request.user)
        is_sent = request.method == "POST"
        form = ErasureForm(request.POST if is_sent else None, person=person)
        refusal, status = "", 422 if is_sent else 200
        try:
            require_erasable(person=person, asked_by=asked_by)
            if is_sent and form.is_valid():
                run = ask_erasure(person=person, asked_by=asked_by, reason=form.cleaned_data["reason"])
                messages.success(request, "The account is shut, and its sessions have ended. The erasure has begun.")
                if self.has_view_permission(request):
                    return _see_other("admin:records_retentionrun_change", run.pk)
                return _see_other("admin:index")
        except Refused as refused:
            refusal, status = refused.message, refused.status if is_sent else 200
        context = self._context(request, f"Erase {person}") | {
            "person": person,
            "form": form,
            "refusal": refusal,
            "belongings": belongings_of(person),
            "holds": [(hold.pk, describe(hold)) for hold in holds_on(person.pk)[:50]],
        }
        return TemplateResponse(request, "admin/records/retentionrun/erase.html", context, status=status)

    def report_view(self, request: HttpRequest, run_id: UUID) -> HttpResponse:
        """Hand out the report of an erasure that has ended."""
        run = RetentionRun.objects.filter(pk=run_id).first()
        if not self.has_view_permission(request, run):
            raise PermissionDenied
        if run is None or not self._may_report(request, run):
            raise Http404
        response = JsonResponse(report_of(run), json_dumps_params={"indent": 2})
        response["Content-Disposition"] = f'attachment; filename="erasure-{run.pk}.json"'
        return response

    @staticmethod
    def _may_report(request: HttpRequest, run: RetentionRun) -> bool:
        return run.kind == RetentionRun.Kind.ERASURE and run.state != RetentionRun.State.RUNNING

    def _context(self, request: HttpRequest, title: str) -> dict[str, Any]:
        return {**self.admin_site.each_context(request), "opts": self.opts, "title": title, "media": self.media}


def _see_other(name: str, *ids: object) -> HttpResponse:
    return HttpResponseRedirect(reverse(name, args=ids), status=303)
