"""What a person used by day and month: the numbers of the usage page."""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from django.utils import timezone

from conversations.charts import Chart, draw
from conversations.models import UsageDay
from conversations.usage import Usage

if TYPE_CHECKING:
    from accounts.models import User

DAYS, MONTHS = 30, 12


@dataclass(frozen=True, slots=True)
class Sum:
    """What was used in some time: of all models, or of one."""

    calls: int
    estimated_calls: int
    unpriced_calls: int
    usage: Usage


@dataclass(frozen=True, slots=True)
class Day:
    day: datetime.date
    sum: Sum


@dataclass(frozen=True, slots=True)
class Month:
    """A month, by the day on which it began, and its models, the most used first."""

    month: datetime.date
    sum: Sum
    models: list[tuple[str, Sum]]


@dataclass(frozen=True, slots=True)
class Spending:
    """A person's usage as of a day. Only months in which something was used are told; of days all."""

    today: Sum
    this_month: Sum
    days: list[Day]
    months: list[Month]

    @property
    def has_days(self) -> bool:
        return any(day.sum.calls for day in self.days)

    @property
    def is_estimated(self) -> bool:
        return any(month.sum.estimated_calls for month in self.months)

    @property
    def has_cost(self) -> bool:
        """Whether there are costs to draw."""
        return any(day.sum.usage.cost for day in self.days)

    def tokens_chart(self) -> Chart:
        """Tokens by day: output below, then input, then input that the provider had cached."""
        return draw(
            [
                (
                    f"{day.day:%-d %B}: {day.sum.usage.tokens_label}",
                    [
                        ("output", day.sum.usage.output_tokens),
                        ("input", day.sum.usage.input_tokens - day.sum.usage.cached_tokens),
                        ("cached", day.sum.usage.cached_tokens),
                    ],
                )
                for day in self.days
            ]
        )

    def cost_chart(self) -> Chart:
        """US dollars by day."""
        return draw(
            [
                (f"{day.day:%-d %B}: {day.sum.usage.cost_label}", [("cost", float(day.sum.usage.cost or 0))])
                for day in self.days
            ]
        )


def read_spending(user: User) -> Spending:
    """Return what `user` used today, this month, in the last 30 days and in the last 12 months, in one query."""
    today = timezone.localdate()
    months = _months_until(today)
    since = min(months[-1], today - datetime.timedelta(days=DAYS - 1))
    rows = list(UsageDay.objects.visible_to(user).filter(day__gte=since).select_related("model"))
    by_day: dict[datetime.date, list[UsageDay]] = defaultdict(list)
    by_month: dict[datetime.date, list[UsageDay]] = defaultdict(list)
    for row in rows:
        by_day[row.day].append(row)
        by_month[row.day.replace(day=1)].append(row)
    days = [today - datetime.timedelta(days=age) for age in range(DAYS - 1, -1, -1)]
    return Spending(
        today=_sum(by_day[today]),
        this_month=_sum(by_month[months[0]]),
        days=[Day(day, _sum(by_day[day])) for day in days],
        months=[_month(month, by_month[month]) for month in months if by_month[month]],
    )


def _months_until(today: datetime.date) -> list[datetime.date]:
    """Return the first days of the last twelve months, the newest first."""
    months = [today.replace(day=1)]
    while len(months) < MONTHS:
        months.append((months[-1] - datetime.timedelta(days=1)).replace(day=1))
    return months


def _month(month: datetime.date, rows: list[UsageDay]) -> Month:
    by_model: dict[str, list[UsageDay]] = defaultdict(list)
    for row in rows:
        by_model[row.model.label].append(row)
    models = [(label, _sum(found)) for label, found in by_model.items()]
    return Month(month, _sum(rows), sorted(models, key=lambda model: (-model[1].usage.tokens, model[0])))


def _sum(rows: Iterable[UsageDay]) -> Sum:
    rows = [row for row in rows if row.calls]
    calls = sum(row.calls for row in rows)
    estimated, unpriced = sum(row.estimated_calls for row in rows), sum(row.unpriced_calls for row in rows)
    paid = [row for row in rows if not row.model.is_local]
    priced = [row for row in rows if row.unpriced_calls < row.calls]
    usage = Usage(
        input_tokens=sum(row.input_tokens for row in rows),
        cached_tokens=sum(row.cached_tokens for row in rows),
        output_tokens=sum(row.output_tokens for row in rows),
        reasoning_tokens=sum(row.reasoning_tokens for row in rows),
        cost=sum((row.cost for row in priced), start=Decimal(0)) if priced else None,
        has_usage=bool(rows),
        is_free=bool(rows) and not paid,
        is_estimated=bool(estimated),
        is_uncounted=False,
        is_unpriced=bool(unpriced),
    )
    return Sum(calls, estimated, unpriced, usage)
