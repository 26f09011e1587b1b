"""Counts of reviews: who decided how much, what was found, and how the queue went over time."""

from __future__ import annotations

import datetime
from collections import Counter, defaultdict
from dataclasses import dataclass, field

from django.db.models import Count
from django.db.models.functions import Trunc
from django.utils import timezone

from accounts.models import User
from conversations.charts import Chart, draw
from records.models import Review
from records.services.occasions import first_id_of

Verdict = Review.Verdict


@dataclass(frozen=True, slots=True)
class Period:
    """How far back is looked, in columns of a day, a week or a month."""

    name: str
    label: str
    unit: str
    columns: int


PERIODS = {
    period.name: period
    for period in (
        Period("month", "30 days", "day", 30),
        Period("quarter", "13 weeks", "week", 13),
        Period("year", "12 months", "month", 12),
    )
}


@dataclass(slots=True)
class Found:
    """How many verdicts of each kind there are."""

    by_verdict: Counter[str] = field(default_factory=Counter)

    @property
    def fine(self) -> int:
        return self.by_verdict[Verdict.FINE]

    @property
    def concern(self) -> int:
        return self.by_verdict[Verdict.CONCERN]

    @property
    def violation(self) -> int:
        return self.by_verdict[Verdict.VIOLATION]

    @property
    def total(self) -> int:
        return self.by_verdict.total()


@dataclass(slots=True)
class Column:
    """A day, a week or a month."""

    start: datetime.date
    label: str
    found: Found
    came_in: int


@dataclass(slots=True)
class ReviewerSum:
    """What a reviewer decided in the period, and has claimed now."""

    reviewer: User
    found: Found
    claimed: int


@dataclass(frozen=True, slots=True)
class Progress:
    """What the page of progress shows."""

    period: Period
    columns: list[Column]
    reviewers: list[ReviewerSum]
    labels: list[tuple[str, int]]
    waiting: int
    claimed: int
    oldest: datetime.datetime | None

    @property
    def found(self) -> Found:
        return Found(sum((column.found.by_verdict for column in self.columns), start=Counter()))

    @property
    def came_in(self) -> int:
        return sum(column.came_in for column in self.columns)

    @property
    def middle(self) -> Column:
        return self.columns[len(self.columns) // 2]

    def verdicts_chart(self) -> Chart:
        """Verdicts by time: violations below, then concerns, then what was fine."""
        return draw(
            [
                (
                    f"{column.label}: {_counted(column.found.total, 'verdict')}",
                    [
                        ("violation", column.found.violation),
                        ("concern", column.found.concern),
                        ("fine", column.found.fine),
                    ],
                )
                for column in self.columns
            ]
        )

    def came_in_chart(self) -> Chart:
        """What came into the queue by time."""
        return draw(
            [
                (f"{column.label}: {_counted(column.came_in, 'conversation')}", [("came", column.came_in)])
                for column in self.columns
            ]
        )


def read_progress(period: Period) -> Progress:
    """Return the counts of a period up to now, in a few queries. Days are those of the server's zone."""
    starts = _starts(period, timezone.localdate())
    zone = timezone.get_default_timezone()
    since = datetime.datetime.combine(starts[0], datetime.time.min, zone)
    done = Review.objects.filter(state=Review.State.DONE, decided_at__gte=since)
    found: dict[datetime.date, Found] = defaultdict(Found)
    by_reviewer: dict[int, Found] = defaultdict(Found)
    rows = (
        done.order_by()
        .values_list(Trunc("decided_at", period.unit, tzinfo=zone), "claimed_by_id", "verdict")
        .annotate(number=Count("pk"))
    )
    for start, reviewer_id, verdict, number in rows:
        found[start.date()].by_verdict[verdict] += number
        by_reviewer[reviewer_id].by_verdict[verdict] += number
    came_in = Review.objects.filter(pk__gte=first_id_of(since), created_at__gte=since).order_by()
    came = {
        start.date(): number
        for start, number in came_in.values_list(Trunc("created_at", period.unit, tzinfo=zone)).annotate(Count("pk"))
    }
    waiting = Review.objects.filter(state=Review.State.WAITING)
    claims = dict(
        Review.objects.filter(state=Review.State.CLAIMED).order_by().values_list("claimed_by_id").annotate(Count("pk"))
    )
    labels = done.order_by().filter(labels__isnull=False).values_list("labels__name").annotate(number=Count("pk"))
    return Progress(
        period=period,
        columns=[Column(start, _label(period, start), found[start], came.get(start, 0)) for start in starts],
        reviewers=_reviewers(by_reviewer, claims),
        labels=sorted(labels, key=lambda row: (-row[1], row[0])),
        waiting=waiting.count(),
        claimed=sum(claims.values()),
        oldest=waiting.order_by("pk").values_list("created_at", flat=True).first(),
    )


def _reviewers(by_reviewer: dict[int, Found], claims: dict[int, int]) -> list[ReviewerSum]:
    people = User.objects.in_bulk({*by_reviewer, *claims})
    sums = [ReviewerSum(person, by_reviewer[pk], claims.get(pk, 0)) for pk, person in people.items()]
    return sorted(sums, key=lambda one: (-one.found.total, str(one.reviewer)))


def _starts(period: Period, today: datetime.date) -> list[datetime.date]:
    """Return the first days of the columns, the oldest first."""
    if period.unit == "day":
        starts = [today - datetime.timedelta(days=age) for age in range(period.columns)]
    elif period.unit == "week":
        monday = today - datetime.timedelta(days=today.weekday())
        starts = [monday - datetime.timedelta(weeks=age) for age in range(period.columns)]
    else:
        months = today.year * 12 + today.month - 1
        starts = [datetime.date(month // 12, month % 12 + 1, 1) for month in range(months, months - period.columns, -1)]
    return starts[::-1]


def _label(period: Period, start: datetime.date) -> str:
    if period.unit == "month":
        return f"{start:%B %Y}"
    return f"{start:%-d %B}" if period.unit == "day" else f"Week of {start:%-d %B}"


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
