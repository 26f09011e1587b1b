"""Which messages match, and which of them match best."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Self
from uuid import UUID

from django.db import connection
from django.db.models import Min
from django.utils import timezone

from conversations.lexemes import owner_lexeme
from conversations.models import Conversation
from conversations.search.reading import Query, Unsearchable

if TYPE_CHECKING:
    from accounts.models import User

RANKED = 500
LOOKED_AT = 10_000

# The newest messages of some months that hold the words, by the index alone; then those of them that are wanted. The
# first step comes to its end before the second begins, whatever the planner thinks of either.
_NEWEST = """
WITH candidate AS MATERIALIZED (
    SELECT id, conversation_id FROM conversations_message
    WHERE search_vector @@ %(candidates)s::tsquery AND created_at >= %(since)s AND created_at < %(until)s
    ORDER BY id DESC LIMIT %(limit)s
)
SELECT (SELECT count(*) FROM candidate), ARRAY(
    SELECT candidate.id FROM candidate
    JOIN conversations_conversation AS conversation ON conversation.id = candidate.conversation_id
    WHERE conversation.owner_id = %(owner)s AND conversation.hidden_at IS NULL
      AND (%(assistant)s::bigint IS NULL OR conversation.assistant_id = %(assistant)s)
      AND (%(exact)s::tsquery IS NULL OR EXISTS (
        SELECT FROM conversations_message AS message
        WHERE message.id = candidate.id AND message.search_vector @@ %(exact)s::tsquery
      ))
    ORDER BY candidate.id DESC LIMIT %(wanted)s
)
"""
# A title counts most, then the message itself, then its files. Long texts count a little less.
_RANK = """
SELECT id FROM conversations_message WHERE id = ANY(%(ids)s)
ORDER BY ts_rank_cd('{0.1, 0.3, 0.6, 1.0}', search_vector, %(exact)s::tsquery, 1) DESC, id DESC
OFFSET %(start)s LIMIT %(count)s
"""


@dataclass(frozen=True, slots=True)
class Days:
    """A span of time: from its first moment up to, not including, its last."""

    since: datetime.datetime | None
    until: datetime.datetime | None

    @classmethod
    def of(cls, first: datetime.date | None, last: datetime.date | None) -> Self:
        """Return the span of whole days; both are part of it. Raises Unsearchable where it is none."""
        if first and last and first > last:
            raise Unsearchable("The first day is after the last one.")
        after = last + datetime.timedelta(days=1) if last and last < datetime.date.max else None
        return cls(_midnight(first), _midnight(after))


@dataclass(slots=True)
class Matches:
    """The newest messages that match."""

    ids: list[UUID] = field(default_factory=list)
    is_capped: bool = False


def find_newest(user: User, query: Query, *, days: Days, assistant_id: int | None) -> Matches:
    """Return up to 500 of the newest messages of a person that match.

    Months are asked for in growing groups, newest first, and only until there are enough. Where a common word hardly
    ever stands in what was asked for, the search ends after the 10,000 newest messages that hold it.
    """
    matches, left = Matches(), LOOKED_AT
    months = _months(user, days)
    size = 1
    while group := list(islice(months, size)):
        looked_at, ids = _newest(user, query, group, days, assistant_id, limit=left)
        matches.ids += ids
        left -= looked_at
        if len(matches.ids) > RANKED or left <= 0:
            matches.is_capped = True
            break
        size = min(2 * size, 1 + left * len(group) // max(looked_at, 1))
    del matches.ids[RANKED:]
    return matches


def rank(ids: Sequence[UUID], query: Query, *, start: int, count: int) -> list[UUID]:
    """Return some of the messages, best first: those from `start` on."""
    if start >= len(ids):
        return []
    with connection.cursor() as cursor:
        cursor.execute(_RANK, {"ids": list(ids), "exact": query.exact, "start": start, "count": count})
        return [row[0] for row in cursor.fetchall()]


def _newest(
    user: User, query: Query, months: Sequence[datetime.date], days: Days, assistant_id: int | None, *, limit: int
) -> tuple[int, list[UUID]]:
    owned = " | ".join(f"'{owner_lexeme(user.pk, month)}'" for month in months)
    parameters = {
        "candidates": f"({owned}) & ({query.loose})",
        "exact": None if query.is_loose else query.exact,
        "owner": user.pk,
        "assistant": assistant_id,
        "since": days.since or "-infinity",
        "until": days.until or "infinity",
        "limit": limit,
        "wanted": RANKED + 1,
    }
    with connection.cursor() as cursor:
        cursor.execute(_NEWEST, parameters)
        looked_at, ids = cursor.fetchone() or (0, [])
    return looked_at, ids


def _months(user: User, days: Days) -> Iterator[datetime.date]:
    """Yield the first days of the months (UTC) that a person's messages may be from, newest first."""
    begun = Conversation.objects.filter(owner=user).aggregate(first=Min("created_at"))["first"]
    if begun is None:
        return
    first = max(begun, days.since or begun).astimezone(datetime.UTC).date().replace(day=1)
    now = timezone.now() + datetime.timedelta(days=1)  # clocks differ
    month = min(now, days.until or now).astimezone(datetime.UTC).date().replace(day=1)
    while month >= first:
        yield month
        month = (month - datetime.timedelta(days=1)).replace(day=1)


def _midnight(day: datetime.date | None) -> datetime.datetime | None:
    return timezone.make_aware(datetime.datetime.combine(day, datetime.time.min)) if day else None
