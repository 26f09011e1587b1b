"""Full-text search in one person's conversations: titles, messages, and the text of files."""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.db import OperationalError, connection, transaction

from conversations.models import Attachment, Message
from conversations.search import matching, snippets
from conversations.search.matching import Ranked
from conversations.search.reading import Query, Unsearchable, read_query
from conversations.search.snippets import Hit
from conversations.search.spans import LOOKED_AT, RANKED, Days, Matches

if TYPE_CHECKING:
    from accounts.models import User

__all__ = [
    "PAGE",
    "RANKED",
    "Found",
    "Hit",
    "Ranking",
    "Unsearchable",
    "bounded",
    "draw_hits",
    "rank_messages",
    "search_messages",
]

PAGE = 20
_QUERY_CANCELED = "57014"
_TOO_SLOW = "This search took too long and was ended. Add a rarer word, or choose fewer days."


@dataclass(frozen=True, slots=True)
class Found:
    """One page of hits, best first. `problem` is a sentence for the person where the search cannot be made."""

    hits: list[Hit] = field(default_factory=list)
    is_capped: bool = False
    """Older messages may match as well."""
    note: str = ""
    """Says so to the person, and why."""
    has_more: bool = False
    problem: str = ""


def search_messages(
    user: User,
    query: str,
    *,
    assistant_id: int | None = None,
    since: datetime.date | None = None,
    until: datetime.date | None = None,
    page: int = 1,
) -> Found:
    """Return a page of 20 of the messages of `user` that hold the words of `query`, best first.

    `query` is what people type into search engines: words, "a phrase", or, -left out. The newest 500 matches are
    ranked, and no more than the newest 2,000 messages that might match are looked at, so that no search is slow. Days
    are of the current time zone, both included. Conversations that are hidden are never searched, nor other people's.
    """
    try:
        with bounded():
            wanted = read_query(query)
            matches = matching.find_newest(user, wanted, days=Days.of(since, until), assistant_id=assistant_id)
            start = (max(page, 1) - 1) * PAGE
            ranked = matching.rank(matches.ids, wanted, start=start, count=PAGE + 1)
            hits = snippets.draw_hits(
                ranked[:PAGE],
                wanted,
                messages=Message.objects.visible_to(user),
                files=Attachment.objects.visible_to(user),
            )
    except Unsearchable as problem:
        return Found(problem=str(problem))
    return Found(hits, is_capped=matches.is_capped, note=_note(matches), has_more=len(ranked) > PAGE)


@dataclass(frozen=True, slots=True)
class Ranking:
    """Every message that was found, best first, up to 500. `note` says where there may be more, and why."""

    query: Query
    ranked: list[Ranked]
    note: str


def rank_messages(user: User, query: str, *, assistant_id: int | None = None) -> Ranking:
    """Return what `search_messages` finds as ids, for lists that leave out some of it. Raises Unsearchable."""
    with bounded():
        wanted = read_query(query)
        matches = matching.find_newest(user, wanted, days=Days.of(None, None), assistant_id=assistant_id)
        ranked = matching.rank(matches.ids, wanted, start=0, count=RANKED)
    return Ranking(wanted, ranked, _note(matches))


def draw_hits(user: User, ranking: Ranking, chosen: Sequence[Ranked]) -> list[Hit]:
    """Return some of what was found as hits, in this order. Raises Unsearchable where marking takes too long."""
    with bounded():
        return snippets.draw_hits(
            chosen,
            ranking.query,
            messages=Message.objects.visible_to(user),
            files=Attachment.objects.visible_to(user),
        )


def _note(matches: Matches) -> str:
    if not matches.is_capped:
        return ""
    if len(matches.ids) == RANKED:
        return f"The newest {RANKED} matches, best first."
    return (
        f"Only the newest {LOOKED_AT:,} of the messages that hold these words were looked at. "
        "Choose days to look at older ones."
    )


@contextlib.contextmanager
def bounded() -> Iterator[None]:
    """End a statement that takes too long. Raises Unsearchable then."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = '5s'")
            yield
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", None) != _QUERY_CANCELED:
            raise
        raise Unsearchable(_TOO_SLOW) from error
