"""The audit for who may read it: the newest first, found by who, whom, what and when."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db import connection
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import User
from audit.models import AuditEvent
from records.admin.record import RecordAdmin

if TYPE_CHECKING:
    from django.db.models import Model

# Reads one row of the index for each value, where DISTINCT would read all of it.
_VALUES = """
WITH RECURSIVE found AS (
    (SELECT {0} AS value FROM audit_auditevent ORDER BY {0} LIMIT 1)
    UNION ALL
    SELECT (SELECT {0} FROM audit_auditevent WHERE {0} > found.value ORDER BY {0} LIMIT 1)
    FROM found WHERE found.value IS NOT NULL
)
SELECT value FROM found WHERE value IS NOT NULL
"""
KINDS, TYPES = _VALUES.format("kind"), _VALUES.format("object_type")
_DAYS = {"1": "The last 24 hours", "7": "The last 7 days", "30": "The last 30 days", "365": "The last year"}
_LARGEST = 2**63 - 1


class KindFilter(admin.SimpleListFilter):
    """What was done."""

    title = "what was done"
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the kinds that there are."""
        return [(kind, kind) for kind in _kinds()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Return events of the kind; all where none is asked for."""
        return queryset.filter(kind=self.value()) if self.value() else queryset


class TimeFilter(admin.SimpleListFilter):
    """Since when."""

    title = "when"
    parameter_name = "days"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the choices."""
        return list(_DAYS.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Return events from the first one of that time on: numbers follow time, and the list follows numbers."""
        if self.value() not in _DAYS:
            return queryset
        since = timezone.now() - datetime.timedelta(days=int(str(self.value())))
        # Asked for by itself: of a number, and of no subquery, the planner knows how many events lie behind it.
        newer = AuditEvent.objects.filter(created_at__gte=since).order_by("created_at", "seq")
        first = newer.values_list("seq", flat=True).first()
        return queryset.none() if first is None else queryset.filter(seq__gte=first)


class EventList(ChangeList):
    """Knows the names of the people whom its events tell of by their ids."""

    def get_results(self, request: HttpRequest) -> None:
        """Add the names to the events of the page, in one query."""
        super().get_results(request)
        events: list[Any] = list(self.result_list)
        ids = {pk for event in events for pk in (event.actor_id, event.subject_id)} - {None}
        names = {person.pk: str(person) for person in User.objects.filter(pk__in=ids)}
        for event in events:
            event.names = names
        self.result_list = events


def _person(field: str, description: str) -> Callable[[Any, Any], str]:
    @admin.display(description=description)
    def column(_: Any, event: Any) -> str:
        pk = getattr(event, field)
        if pk is None:
            return "–"
        names = getattr(event, "names", None)
        if names is None:
            names = {person.pk: str(person) for person in User.objects.filter(pk=pk)}
        return str(names.get(pk, f"somebody who is gone ({pk})"))

    return column


@admin.register(AuditEvent)
class AuditAdmin(RecordAdmin):
    """Every event. Nobody adds, changes or deletes one here, nor anywhere else."""

    class Media:
        css = {"all": ["css/office.css"]}

    list_display = ("seq", "when", "kind", "who", "what", "whose", "reason")
    list_filter = (KindFilter, TimeFilter)
    sortable_by = ()
    ordering = ("-seq",)
    search_fields = ("seq",)
    search_help_text = (
        "Number of an event; id of what it was done to; username or e-mail address of who did it, or whose"
    )
    fields = (
        ("seq", "when"),
        "kind",
        ("who", "actor_id"),
        ("object_type", "object_id"),
        ("whose", "subject_id"),
        "reason",
        "shown_details",
        "hash",
        "previous_hash",
    )
    readonly_fields = ("when", "who", "whose", "shown_details")

    who = _person("actor_id", "who")
    whose = _person("subject_id", "whose")

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Who has the right to the audit; reviewers as such read what others wrote, not what other reviewers did."""
        return request.user.has_perm("audit.read_audit")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return EventList

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Find by what has an index: numbers, ids and people. Reasons and details have none."""
        term = search_term.strip()
        if not term:
            return queryset, False
        people = User.objects.filter(Q(username__iexact=term) | Q(email=term.lower())).values_list("pk", flat=True)
        ids = list(people)
        # The index begins with the type.
        found = Q(object_id=term, object_type__in=_types()) | Q(actor_id__in=ids) | Q(subject_id__in=ids)
        if term.isascii() and term.isdigit() and int(term) <= _LARGEST:
            found |= Q(seq=int(term))
        return queryset.filter(found), False

    @admin.display(description="when")
    def when(self, event: AuditEvent) -> str:
        """Return the time to the second, with its zone."""
        return f"{timezone.localtime(event.created_at):%-d %b %Y, %H:%M:%S %Z}"

    @admin.display(description="what")
    def what(self, event: AuditEvent) -> str:
        """Return kind and id of what it was done to."""
        return f"{event.object_type} {event.object_id}".strip() or "–"

    @admin.display(description="details")
    def shown_details(self, event: AuditEvent) -> str:
        """Return the details as they are."""
        return json.dumps(event.details, ensure_ascii=False, sort_keys=True)


def _kinds() -> list[str]:
    """Return the kinds of events that there are."""
    with connection.cursor() as cursor:
        cursor.execute(KINDS)
        return [kind for (kind,) in cursor.fetchall()]


def _types() -> list[str]:
    """Return the types of objects that events tell of."""
    with connection.cursor() as cursor:
        cursor.execute(TYPES)
        return [kind for (kind,) in cursor.fetchall()]
