"""The page of use: sums by day, group, assistant, model and person, as charts, tables and CSV."""

from __future__ import annotations

from typing import Any, cast

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path
from django.views.decorators.http import require_safe

from accounts.models import User
from audit import services as audit
from records import sitting
from records.admin.record import RecordAdmin
from records.models import UsageFact, Watermark
from records.reporting.asking import UsageForm
from records.reporting.drawing import draw_report, name_briefly, name_days, name_step
from records.reporting.report import BY, Part, Report, read_report
from records.reporting.spans import NAMED
from records.reporting.sums import share
from records.reporting.table import file_name, write_csv
from records.services.usage_facts import WATERMARK, find_marked_days

MOST_PARTS = 100  # on the page; the table for spreadsheets has all
UNUSABLE = 422


@admin.register(UsageFact)
class UsageFactAdmin(RecordAdmin):
    """One page in place of a list, and the same as a table for spreadsheets.

    Sums tell what nobody said, so no reason is asked for; but names of people stand beside them, so that they have a
    right of their own. Who took a table away is written down.
    """

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Whoever may see usage; reviewing is another right."""
        return request.user.has_perm("records.view_usagefact")

    def get_urls(self) -> list[URLPattern]:
        """Return the two addresses, and none of single rows."""
        gate = self.admin_site.admin_view
        return [
            path("", require_safe(gate(self.changelist_view)), name="records_usagefact_changelist"),
            path("csv/", require_safe(gate(self.csv_view)), name="records_usagefact_csv"),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show the report that the address asks for, or what is the matter with it."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        form = UsageForm(request.GET)
        if problems := form.problems():
            return self._tell(request, form, problems)
        report = read_report(form.asked(), most=MOST_PARTS)
        context = self._frame(request, form) | {
            "report": report,
            "total": report.total,
            "days": name_days(report.asked.span.first, report.asked.span.last),
            "drawings": draw_report(report),
            "marks": _marks(report),
            "parts": [_line(part, report, form) for part in report.parts],
            "lines": [(name_step(step, report), step.sums) for step in report.steps],
            "zone": settings.TIME_ZONE,
            "reckoned_at": Watermark.objects.filter(pk=WATERMARK).values_list("at", flat=True).first(),
            "waiting_days": len(find_marked_days()),
        }
        return render(request, "admin/records/usage/usage.html", context)

    def csv_view(self, request: HttpRequest) -> HttpResponse:
        """Send the report as a table, and write down who took it."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        form = UsageForm(request.GET)
        if problems := form.problems():
            return self._tell(request, form, problems)
        report = read_report(form.asked())
        name, table = file_name(report), write_csv(report)
        if request.method != "HEAD":  # which takes nothing away
            _note(request, report)
        response = HttpResponse(table, content_type="text/csv; charset=utf-8")
        response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        return response

    def _frame(self, request: HttpRequest, form: UsageForm) -> dict[str, Any]:
        asked = form.asked()
        return self.admin_site.each_context(request) | {
            "title": "Usage",
            "form": form,
            "asked": asked,
            "spans": [(name, label, form.address_query(span=name)) for name, label in NAMED.items()],
            "ways": [(by, label, form.address_query(by=by)) for by, label in BY.items()],
            "query": form.address_query(),
            "without_filters": form.address_query(group="", assistant="", model="", person=""),
        }

    def _tell(self, request: HttpRequest, form: UsageForm, problems: list[str]) -> HttpResponse:
        context = self._frame(request, form) | {"problems": problems}
        return render(request, "admin/records/usage/usage.html", context, status=UNUSABLE)


def _marks(report: Report) -> list[str]:
    """Return what stands below the charts: the first step, the one in the middle, and the last one."""
    steps = report.steps
    return [name_briefly(steps[place], report) for place in sorted({0, len(steps) // 2, len(steps) - 1})]


def _line(part: Part, report: Report, form: UsageForm) -> tuple[Part, str, str, str]:
    """Return a part with the query of the report on it alone, and its share of all tokens: for people, and as a width.

    People of two groups are in both, so that the groups together may come to more than all.
    """
    query = form.address_query(**{report.asked.by: part.key, "by": ""}) if part.key else ""
    tokens = report.total.tokens
    return part, query, share(part.sums.tokens, tokens), f"{100 * part.sums.tokens / tokens if tokens else 0:.2f}"


def _note(request: HttpRequest, report: Report) -> None:
    asked = report.asked
    filters = {
        "group": asked.group_id,
        "assistant": asked.assistant_id,
        "model": asked.model_id,
        "person": asked.person_id,
    }
    with transaction.atomic():
        audit.record(
            kind="usage.downloaded",
            actor=cast("User", request.user),
            object_type="usage",
            reason=sitting.reason(request) or "",
            details={"from": str(asked.span.first), "to": str(asked.span.last), "by": asked.by}
            | {name: value for name, value in filters.items() if value is not None}
            | {"lines": len(report.steps if asked.by == "day" else report.parts)},
        )
