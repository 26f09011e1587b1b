"""Full-text search over everybody's conversations, for reviewers: deleted ones included, as the record keeps them."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import batched
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection
from django.utils import timezone

from conversations.lexemes import owner_lexeme
from conversations.models import Attachment, Conversation, Message
from conversations.search import PAGE, RANKED, Hit, bounded
from conversations.search.matching import rank
from conversations.search.reading import Query, Unsearchable, read_query
from conversations.search.snippets import draw_hits
from conversations.search.spans import Days
from records.filters import FilterForm


class Limits(NamedTuple):
    """How far a search goes."""

    ranked: int = RANKED
    looked_at: int = 10_000
    """Messages that hold the words, whether or not they are all that was asked for."""


LIMITS = Limits()
_FIRST = 5_000  # messages of the first span: the words of most searches are found 500 times in these, or seldom at all
_COUNTED = 50_000  # messages of the longest span that is counted out; longer ones are as much longer in time
_GROWTH = 10.0  # of a span over the one before, at most

# The planner sees the words and the span as constants: from how often the words stand in texts, and how long the span
# is, it chooses between reading the span and asking the index on words. All of a span is found before it is ordered,
# or it would walk through years of messages for the few that match.
_MATCHING = """
WITH matching AS MATERIALIZED (
    SELECT id, conversation_id, %(exact)s::tsquery IS NULL OR search_vector @@ %(exact)s::tsquery AS is_exact
    FROM conversations_message
    WHERE search_vector @@ %(loose)s::tsquery AND id >= %(since)s AND id < %(until)s
      AND created_at >= %(first)s AND created_at < %(last)s
)
SELECT id, conversation_id, is_exact FROM matching ORDER BY id DESC LIMIT %(limit)s
"""
_BACK = "SELECT id FROM conversations_message WHERE id < %(until)s ORDER BY id DESC OFFSET %(count)s LIMIT 1"
_EVER = (datetime.datetime.min.replace(tzinfo=datetime.UTC), datetime.datetime.max.replace(tzinfo=datetime.UTC))
_DAY = datetime.timedelta(days=1)


class FoundHit(NamedTuple):
    """A message that was found, and whose it is."""

    hit: Hit
    conversation: Conversation


@dataclass(frozen=True, slots=True)
class FoundOfAll:
    """One page of hits, best first. `problem` is a sentence for the person where the search cannot be made."""

    hits: list[FoundHit] = field(default_factory=list)
    matches: int = 0
    """How many are ranked, on all pages."""
    note: str = ""
    """Says that older messages may match as well, and why."""
    has_more: bool = False
    problem: str = ""


@dataclass(slots=True)
class _Matches:
    limits: Limits
    ids: list[UUID] = field(default_factory=list)
    looked_at: int = 0

    @property
    def wanted(self) -> int:
        return self.limits.ranked + 1 - len(self.ids)

    @property
    def left(self) -> int:
        return self.limits.looked_at - self.looked_at

    @property
    def note(self) -> str:
        if self.wanted <= 0:
            return f"The newest {self.limits.ranked} matches, best first. Choose days to find older ones."
        if self.left <= 0:
            return (
                f"Only the newest {self.limits.looked_at:,} of the messages that hold these words were looked at. "
                "Choose days to look at older ones."
            )
        return ""


def search_all(query: str, filters: FilterForm, *, page: int = 1, limits: Limits = LIMITS) -> FoundOfAll:
    """Return a page of 20 of everybody's messages that hold the words of `query`, best first.

    `query` is as in `conversations.search`; `filters` is a valid form, whose days are those of the messages here. The
    newest 500 matches are ranked, and no more than the newest 10,000 messages that hold the words are looked at.
    """
    try:
        with bounded():
            _allow_memory()
            wanted = read_query(query)
            matches = _find_newest(wanted, filters, limits)
            ids = matches.ids[: limits.ranked]
            start = (max(page, 1) - 1) * PAGE
            ranked = rank(ids, wanted, start=start, count=PAGE + 1)
            hits = draw_hits(
                ranked[:PAGE],
                wanted,
                messages=Message.objects.all(),
                files=Attachment.objects.filter(message__isnull=False),
            )
            return FoundOfAll(_with_owners(hits), len(ids), matches.note, has_more=len(ranked) > PAGE)
    except Unsearchable as problem:
        return FoundOfAll(problem=str(problem))


def _allow_memory() -> None:
    """Let the index remember every message that it finds, rather than whole pages that are to be read again."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL work_mem = '32MB'")


def _find_newest(query: Query, filters: FilterForm, limits: Limits) -> _Matches:
    matches = _Matches(limits)
    given = filters.cleaned_data
    first, last = _between(Days.of(given["from"], given["to"]))
    for since, until in _spans(first, last, matches):
        rows = _matching(query, filters.people, since, until, (first, last), limit=matches.left)
        matches.looked_at += len(rows)
        matches.ids += _narrowed([row for row in rows if row.is_exact], filters, matches.wanted)
        if matches.wanted <= 0 or matches.left <= 0:
            break
    return matches


class _Row(NamedTuple):
    id: UUID
    conversation_id: UUID
    is_exact: bool


def _matching(
    query: Query,
    people: list[int] | None,
    since: UUID,
    until: UUID,
    between: tuple[datetime.datetime, datetime.datetime],
    *,
    limit: int,
) -> list[_Row]:
    loose = query.loose
    if people is not None:
        loose = f"({' | '.join(f"'{owner_lexeme(pk)}'" for pk in people)}) & ({loose})"
    parameters: dict[str, Any] = {
        "loose": loose,
        "exact": None if query.is_loose else query.exact,
        "since": since,
        "until": until,
        "first": between[0],
        "last": between[1],
        "limit": limit,
    }
    with connection.cursor() as cursor:
        cursor.execute(_MATCHING, parameters)
        return [_Row(*row) for row in cursor.fetchall()]


def _narrowed(rows: Sequence[_Row], filters: FilterForm, wanted: int) -> list[UUID]:
    """Return the messages of those conversations that the filters leave, no more than are wanted; newest first."""
    if not filters.narrows_conversations:
        return [row.id for row in rows[:wanted]]
    found: list[UUID] = []
    for some in batched(rows, 2_000):
        conversations = Conversation.objects.filter(pk__in={row.conversation_id for row in some})
        left = set(filters.narrow(conversations, days=False).values_list("pk", flat=True))
        found += [row.id for row in some if row.conversation_id in left]
        if len(found) >= wanted:
            break
    return found[:wanted]


def _spans(first: datetime.datetime, last: datetime.datetime, matches: _Matches) -> Iterator[tuple[UUID, UUID]]:
    """Yield spans of ids, which tell time, newest first and without gaps; each as long as `matches` lets hope.

    Whoever takes a span adds what was found in it to `matches` before taking the next.
    """
    end = _id_of(min(last + _DAY if last < _EVER[1] else last, timezone.now() + _DAY))  # clocks differ
    bottom = _id_of(first - _DAY) if first > _EVER[0] else UUID(int=0)
    count, length = float(_FIRST), _DAY
    while bottom < end:
        earlier = _back(end, int(count)) if count <= _COUNTED else _id_of(_time_of(end) - length)
        start = max(earlier, bottom)
        looked_at, wanted = matches.looked_at, matches.wanted
        yield start, end
        times = min(
            _GROWTH, _hope(matches.left, matches.looked_at - looked_at), _hope(matches.wanted, wanted - matches.wanted)
        )
        count *= max(times, 1.0)
        length = (min(_time_of(end), timezone.now()) - _time_of(start)) * max(times, 1.0)
        end = start


def _hope(wanted: int, found: int) -> float:
    """How many times as long a span must be to hold what is wanted, if it is as frequent as in the last one."""
    return wanted / found if found else _GROWTH


def _back(until: UUID, count: int) -> UUID:
    """Return the id of the message so many before; the least of all where there are not so many."""
    with connection.cursor() as cursor:
        cursor.execute(_BACK, {"until": until, "count": count})
        row: tuple[UUID] | None = cursor.fetchone()
    return row[0] if row else UUID(int=0)


_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_MILLISECOND = datetime.timedelta(milliseconds=1)


def _id_of(moment: datetime.datetime) -> UUID:
    """Return the least id that is made at a moment (conversations/ids.py)."""
    return UUID(int=max((moment - _EPOCH) // _MILLISECOND, 0) << 80)


def _time_of(message_id: UUID) -> datetime.datetime:
    return _EPOCH + (message_id.int >> 80) * _MILLISECOND


def _between(days: Days) -> tuple[datetime.datetime, datetime.datetime]:
    return days.since or _EVER[0], days.until or _EVER[1]


def _with_owners(hits: Sequence[Hit]) -> list[FoundHit]:
    conversations = Conversation.objects.select_related("owner").in_bulk({hit.conversation_id for hit in hits})
    return [FoundHit(hit, conversations[hit.conversation_id]) for hit in hits if hit.conversation_id in conversations]
