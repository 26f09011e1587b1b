"""In which order time is searched: back from the newest on, in spans that the index can tell apart by a few lexemes."""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self
from uuid import UUID

from django.db import connection
from django.utils import timezone

from conversations.periods import midnight
from conversations.search.reading import Unsearchable

if TYPE_CHECKING:
    from accounts.models import User

RANKED = 500
LOOKED_AT = 2_000
# The index looks at each lexeme of a span for each message of it, so there are few: of months, of years, or of all.
_MOST_MONTHS, _MOST_YEARS = 4, 5
_DAY, _MONTH = datetime.timedelta(days=1), datetime.timedelta(days=30)

_ACTIVE = """
SELECT (SELECT min(created_at) FROM conversations_conversation WHERE owner_id = %(owner)s),
    (SELECT max(last_activity_at) FROM conversations_conversation WHERE owner_id = %(owner)s AND hidden_at IS NULL)
"""


@dataclass(frozen=True, slots=True)
class Days:
    """What was asked for: from a first moment up to, not including, a last one. Both may be open."""

    since: datetime.datetime | None
    until: datetime.datetime | None

    @classmethod
    def of(cls, first: datetime.date | None, last: datetime.date | None) -> Self:
        """Return the time of whole days; both are part of it. Raises Unsearchable where it is none."""
        if first and last and first > last:
            raise Unsearchable("The first day is after the last one.")
        after = last + datetime.timedelta(days=1) if last and last < datetime.date.max else None
        return cls(midnight(first) if first else None, midnight(after) if after else None)


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of time, and the periods (see conversations/lexemes.py) that cover it."""

    since: datetime.datetime
    until: datetime.datetime
    periods: tuple[str, ...]


@dataclass(slots=True)
class Matches:
    """The newest messages that match, as far as they are found."""

    ids: list[UUID] = field(default_factory=list)
    looked_at: int = 0
    """Messages that hold the words, whether or not they are all that was asked for."""
    is_capped: bool = False

    @property
    def wanted(self) -> int:
        return RANKED + 1 - len(self.ids)

    @property
    def left(self) -> int:
        return LOOKED_AT - self.looked_at


def spans(user: User, days: Days, matches: Matches) -> Iterator[Span]:
    """Yield spans, newest first, without gaps, to the first that a person said; each as long as `matches` lets hope.

    Whoever takes a span adds what was found in it to `matches` before taking the next.
    """
    first, active, edge = _ends(user, days)
    start = min(edge - 2, active)  # two months, of which one has just begun, perhaps
    while first < edge:
        start = max(start, first)
        wanted, left = matches.wanted, matches.left
        yield (span := _span(start, edge, days))
        months = max(min(span.until, timezone.now()) - span.since, _DAY) / _MONTH
        enough = min(
            _times(months, matches.wanted, wanted - matches.wanted), _times(months, matches.left, left - matches.left)
        )
        edge, start = start, _start(start, first, enough)


def _times(months: float, wanted: int, found: int) -> float:
    """How many months it takes to find so many, if they are as frequent as in the last span."""
    return months * wanted / found if found else math.inf


def _start(edge: int, first: int, months: float) -> int:
    if months <= _MOST_MONTHS:
        return edge - max(1, int(months))
    if months >= edge - first:
        return first
    years = min(int(months), (_MOST_YEARS - 1) * 12)
    return (edge - years) // 12 * 12  # whole ones: their lexemes are asked for in any case


def _span(start: int, edge: int, days: Days) -> Span:
    since, until = _moment(start), _moment(edge)
    if edge - start <= _MOST_MONTHS:
        periods = [f"{_moment(month):%Y-%m}" for month in range(start, edge)]
    elif (edge - 1) // 12 - start // 12 < _MOST_YEARS:
        periods = [f"{year:04}" for year in range(start // 12, (edge - 1) // 12 + 1)]
    else:
        periods = [""]
    return Span(max(since, days.since or since), min(until, days.until or until), tuple(periods))


def _ends(user: User, days: Days) -> tuple[int, int, int]:
    """Return the first month to look at, the last in which something was said, and the one after the last, counted."""
    with connection.cursor() as cursor:
        cursor.execute(_ACTIVE, {"owner": user.pk})
        begun, active = cursor.fetchone() or (None, None)
    if begun is None or active is None:
        return 0, 0, 0
    now = timezone.now() + datetime.timedelta(days=1)  # clocks differ
    return (
        _month(max(begun, days.since or begun)),
        _month(active),
        _month(min(now, days.until or now)) + 1,
    )


def _month(moment: datetime.datetime) -> int:
    moment = moment.astimezone(datetime.UTC)
    return moment.year * 12 + moment.month - 1


def _moment(month: int) -> datetime.datetime:
    return datetime.datetime(month // 12, month % 12 + 1, 1, tzinfo=datetime.UTC)
