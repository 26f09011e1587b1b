"""What the person who asks used."""

from __future__ import annotations

import datetime
from typing import Any

from django.conf import settings
from django.db.models import DateField, F, Sum
from django.db.models.functions import TruncMonth
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from conversations.api import examples
from conversations.api.serializers.queries import MOST_DAYS, UsageQuery
from conversations.api.serializers.usage import SUMMED, UsageReportSerializer, finished
from conversations.api.views.asking import Asked, Asking
from conversations.models import UsageDay
from rest.problems import FieldError, Problem, invalid
from rest.schema import documented

DAYS = 30
_NAMED = {"day": F("day"), "month": TruncMonth("day", output_field=DateField()), "model": F("model__name")}


class UsageView(Asking):
    """`usage/`."""

    @documented(
        operation_id="get_usage",
        summary="Sum up what was used",
        description=f"Of the person who asks, in up to {MOST_DAYS} days, from the sums that limits count by. Days in "
        "which nothing was used are left out.",
        parameters=[UsageQuery],
        responses={200: UsageReportSerializer},
        examples=[examples.USAGE],
    )
    def get(self, request: Request) -> Response:
        """Answer sums of tokens and cost."""
        asked = self.asked(UsageQuery)
        since, until = _days(asked)
        by = str(asked.get("by", "day,model")).split(",")
        rows = UsageDay.objects.visible_to(self.user).filter(
            day__gte=since, day__lte=until, **asked.given(model="model__name")
        )
        sums: Any = {name: Sum(name) for name in (*SUMMED, "cost")}
        named = {f"by_{name}": _NAMED[name] for name in by}
        found = rows.filter(calls__gt=0).order_by().values(**named).annotate(**sums).order_by(*named)
        report = {
            "since": since,
            "until": until,
            "time_zone": settings.TIME_ZONE,
            "by": by,
            "total": finished(rows.aggregate(**sums)),
            "results": [{name: row.get(f"by_{name}") for name in _NAMED} | finished(row) for row in found],
        }
        return Response(UsageReportSerializer(report).data)


def _days(asked: Asked) -> tuple[datetime.date, datetime.date]:
    until: datetime.date = asked.get("to", timezone.localdate())
    since: datetime.date = asked.get("from", until - datetime.timedelta(days=min(DAYS - 1, until.toordinal() - 1)))
    if since > until:
        raise _wrong("from", "The first day is after the last one.")
    if (until - since).days >= MOST_DAYS:
        raise _wrong("from", f"These are more than {MOST_DAYS} days. Ask for a part of them at a time.")
    return since, until


def _wrong(field: str, words: str) -> Problem:
    return invalid([FieldError(field=field, message=words)])
