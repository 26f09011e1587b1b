"""Exports of many conversations: asked for, watched, cancelled, downloaded."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet, Sum
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils import timezone

from accounts.models import User
from conversations.models import Assistant, Conversation
from conversations.services import Refused
from records import sitting
from records.admin.export_form import ExportForm
from records.admin.record import RecordAdmin
from records.exporting.filters import ANY_VERDICT, ExportFilters
from records.models import BulkExport, BulkExportPart, Review
from records.models.exports import EXPORT_RIGHT
from records.services.bulk_exporting import ask_export, cancel_export

FILES_A_PAGE = 50


@admin.register(BulkExport)
class BulkExportAdmin(RecordAdmin):
    """The list of exports, the form that asks for one, and a page for each."""

    list_display = ("asked", "requested_by", "chosen", "progress", "expires")
    list_filter = ("state",)
    list_select_related = ("requested_by",)
    ordering = ("-pk",)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Whoever may export; reviewing does not suffice."""
        return request.user.has_perm(EXPORT_RIGHT)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Whoever may export."""
        return request.user.has_perm(EXPORT_RIGHT)

    def get_urls(self) -> list[Any]:
        """Add the address that cancels one."""
        cancel = path(
            "<uuid:pk>/cancel/", self.admin_site.admin_view(self.cancel_view), name="records_bulkexport_cancel"
        )
        return [cancel, *super().get_urls()]

    @admin.display(description="asked for", ordering="pk")
    def asked(self, export: BulkExport) -> str:
        """Return when, to the minute."""
        return f"{timezone.localtime(export.created_at):%-d %b %Y, %H:%M}"

    @admin.display(description="conversations")
    def chosen(self, export: BulkExport) -> str:
        """Return what the filters say, without the names that each row would have to be asked for."""
        given = ExportFilters.from_json(export.filters)
        words = [
            f"from {given.first_day:%-d %b %Y}" if given.first_day else "",
            f"to {given.last_day:%-d %b %Y}" if given.last_day else "",
            "of one person" if given.owner else "",
            "of one group" if given.group else "",
            "with one assistant" if given.assistant else "",
            given.state,
            "reviewed" if given.verdict else "",
        ]
        return ", ".join(filter(None, words)) or "all"

    @admin.display(description="state", ordering="state")
    def progress(self, export: BulkExport) -> str:
        """Return where it stands."""
        return state_of(export)

    @admin.display(description="until")
    def expires(self, export: BulkExport) -> str:
        """Return until when it can be had."""
        return (
            f"{timezone.localtime(export.expires_at):%-d %b %Y, %H:%M}" if export.is_there and export.expires_at else ""
        )

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Ask which conversations and why, and have a job write them."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        is_sent = request.method == "POST"
        initial = {"reason": sitting.reason(request)}
        form = ExportForm(request.POST) if is_sent else ExportForm(initial=initial)
        if is_sent and form.is_valid():
            try:
                export = ask_export(
                    person=cast(User, request.user), reason=form.cleaned_data["reason"], filters=form.filters()
                )
            except Refused as refused:
                form.add_error(None, refused.message)
            else:
                return redirect("admin:records_bulkexport_change", export.pk)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Export conversations",
            "form": form,
        }
        status = 422 if is_sent else 200
        return TemplateResponse(request, "admin/records/bulkexport/ask.html", context, status=status)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show how far it is, and its parts once it is there. Nothing can be changed."""
        export = cast(BulkExport | None, self.get_object(request, object_id))
        if not self.has_view_permission(request, export) or request.method == "POST":
            raise PermissionDenied
        if export is None:
            return super().change_view(request, object_id)  # which says so
        parts = BulkExportPart.objects.filter(export=export, written_at__isnull=False)
        is_file = BulkExportPart.Kind.FILE
        files = Paginator(parts.filter(kind=is_file).order_by("pk"), FILES_A_PAGE)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": str(export),
            "export": export,
            "chosen": words_of(export.filters),
            "state": state_of(export),
            "parts": parts.exclude(kind=is_file).order_by("-kind", "pk"),
            "files": files.get_page(request.GET.get("files")),
            "size": parts.aggregate(total=Sum("size"))["total"] or 0,
        }
        return TemplateResponse(request, "admin/records/bulkexport/export.html", context)

    def cancel_view(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """End one that is under way."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self.has_view_permission(request):
            raise PermissionDenied
        export = BulkExport.objects.visible_to(cast(User, request.user)).filter(pk=pk).first()
        if export is None:
            raise Http404
        try:
            cancel_export(export=export, person=cast(User, request.user))
        except Refused as refused:
            messages.error(request, refused.message)
        else:
            messages.success(request, "The export is cancelled. What was written of it is removed.")
        return redirect("admin:records_bulkexport_change", pk)


def state_of(export: BulkExport) -> str:
    """Return where an export stands, for people."""
    if export.is_under_way and export.total is not None:
        return f"{export.done:,} of {export.total:,} written"
    if export.state == BulkExport.State.DONE and not export.is_there:
        return "Expired"
    if not export.is_there:
        return export.get_state_display()
    return f"Done: {export.done:,} conversation{'' if export.done == 1 else 's'}"


def words_of(filters: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the filters with the names that they have now."""
    given = ExportFilters.from_json(filters)
    words = [
        ("from", f"{given.first_day:%-d %b %Y}" if given.first_day else ""),
        ("to", f"{given.last_day:%-d %b %Y}" if given.last_day else ""),
        ("person", _name(get_user_model().objects.all(), given.owner)),
        ("group", _name(Group.objects.all(), given.group)),
        ("assistant", _name(Assistant.objects.all(), given.assistant)),
        ("state", str(Conversation.State(given.state).label) if given.state else ""),
        ("review", _verdict(given.verdict)),
    ]
    return [(name, value) for name, value in words if value]


def _verdict(verdict: str) -> str:
    if not verdict or verdict == ANY_VERDICT:
        return "any verdict" if verdict else ""
    return str(Review.Verdict(verdict).label)


def _name(rows: QuerySet[Any], pk: int | None) -> str:
    if pk is None:
        return ""
    row = rows.filter(pk=pk).first()
    return str(row) if row is not None else f"number {pk}, which is gone"
