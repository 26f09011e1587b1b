"""Spans of days: how they are asked for, by which step they are drawn, and from which sums they are added up."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field

DAY, MONTH, YEAR = "day", "month", "year"
MOST_DAYS, MOST_MONTH_DAYS = 92, 1_100  # up to a quarter by day, up to three years by month

_ONE = datetime.timedelta(days=1)
NAMED = {
    "7d": "7 days",
    "30d": "30 days",
    "90d": "90 days",
    "month": "This month",
    "last-month": "Last month",
    "12m": "12 months",
    "year": "This year",
    "all": "All days",
}
DEFAULT = "30d"

type Range = tuple[datetime.date, datetime.date]
"""From a day on, and before another one. A range that begins where it ends is empty."""


@dataclass(frozen=True, slots=True)
class Span:
    """Some days, the first and the last included."""

    first: datetime.date
    last: datetime.date

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def step(self) -> str:
        """By what it is drawn: day, month or year."""
        if self.days <= MOST_DAYS:
            return DAY
        return MONTH if self.days <= MOST_MONTH_DAYS else YEAR

    def starts(self) -> list[datetime.date]:
        """Return the first days of its steps; that of the first step may lie before the span."""
        starts = [start_of(self.step, self.first)]
        while (following := next_start(self.step, starts[-1])) <= self.last:
            starts.append(following)
        return starts


@dataclass(frozen=True, slots=True)
class Pieces:
    """The sums that a span is put together from: years, months on either side of them, and days on either side."""

    years: Range
    months: list[Range] = field(default_factory=list)
    days: list[Range] = field(default_factory=list)

    def values(self) -> dict[str, datetime.date]:
        """Return the ends of all ranges by the names that the statements know them by."""
        named = {"years": self.years}
        named |= {f"months_{number}": piece for number, piece in enumerate(self.months)}
        named |= {f"days_{number}": piece for number, piece in enumerate(self.days)}
        return {f"{name}_{end}": day for name, piece in named.items() for end, day in zip("ab", piece, strict=True)}


def named_span(name: str, today: datetime.date, earliest: datetime.date | None) -> Span:
    """Return a span by its name in NAMED; `earliest` is the first day with any use. Raises KeyError."""
    month = today.replace(day=1)
    firsts = {
        "7d": today - 6 * _ONE,
        "30d": today - 29 * _ONE,
        "90d": today - 89 * _ONE,
        "month": month,
        "last-month": (month - _ONE).replace(day=1),
        "12m": _a_year_before(today) + _ONE,
        "year": today.replace(month=1, day=1),
        "all": min(earliest or today, today),
    }
    return Span(firsts[name], month - _ONE if name == "last-month" else today)


def put_together(span: Span) -> Pieces:
    """Return the fewest sums that a span can be put together from, in none of which two of its steps lie."""
    first, end = span.first, span.last + _ONE
    months = _whole(MONTH, first, end) if span.step != DAY else None
    if months is None:
        return Pieces((first, first), [(first, first)] * 2, [(first, end), (end, end)])
    days = [(first, months[0]), (months[1], end)]
    years = _whole(YEAR, *months) if span.step == YEAR else None
    if years is None:
        return Pieces((first, first), [months, (end, end)], days)
    return Pieces(years, [(months[0], years[0]), (years[1], months[1])], days)


def start_of(step: str, day: datetime.date) -> datetime.date:
    """Return the first day of the day, month or year that a day is in."""
    if step == DAY:
        return day
    return day.replace(day=1) if step == MONTH else day.replace(month=1, day=1)


def next_start(step: str, start: datetime.date) -> datetime.date:
    """Return the first day of the step after the one that begins with `start`."""
    return start_of(step, start + datetime.timedelta(days={DAY: 1, MONTH: 31, YEAR: 366}[step]))


def _whole(step: str, first: datetime.date, end: datetime.date) -> Range | None:
    """Return the whole steps from a day on and before another one; None where there are none."""
    start = start_of(step, first)
    start = start if start == first else next_start(step, start)
    stop = start_of(step, end)
    return (start, stop) if start < stop else None


def _a_year_before(day: datetime.date) -> datetime.date:
    return day.replace(year=day.year - 1, day=28) if (day.month, day.day) == (2, 29) else day.replace(year=day.year - 1)
