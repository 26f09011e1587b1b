"""Which messages match, and which of them match best."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from django.db import connection

from conversations.lexemes import owner_lexeme
from conversations.search.reading import Query
from conversations.search.spans import RANKED, Days, Matches, Span, spans

if TYPE_CHECKING:
    from accounts.models import User

# All messages of some time that hold the words, by the index alone; the newest of them; those of these that are as was
# asked; those of conversations that are wanted. Each step comes to its end before the next begins, the planner does not
# see the query as a constant, and `OFFSET 0` has it look up row after row: left to itself it walks through everybody's
# messages, from the newest on or for a phrase, since it cannot know how few of them are a person's.
_NEWEST = """
WITH matching AS MATERIALIZED (
    SELECT id, conversation_id FROM conversations_message
    WHERE search_vector @@ (SELECT %(candidates)s::tsquery) AND created_at >= %(since)s AND created_at < %(until)s
), candidate AS MATERIALIZED (
    SELECT id, conversation_id FROM matching ORDER BY id DESC LIMIT %(limit)s
), exact AS MATERIALIZED (
    SELECT id, conversation_id FROM candidate
    WHERE %(exact)s::tsquery IS NULL OR (
        SELECT message.search_vector @@ %(exact)s::tsquery FROM conversations_message AS message
        WHERE message.id = candidate.id
    )
    ORDER BY id DESC
)
SELECT (SELECT count(*) FROM candidate), ARRAY(
    SELECT exact.id FROM exact CROSS JOIN LATERAL (
        SELECT owner_id, hidden_at, assistant_id FROM conversations_conversation
        WHERE id = exact.conversation_id OFFSET 0
    ) AS conversation
    WHERE conversation.owner_id = %(owner)s AND conversation.hidden_at IS NULL
      AND (%(assistant)s::bigint IS NULL OR conversation.assistant_id = %(assistant)s)
    ORDER BY exact.id DESC LIMIT %(wanted)s
)
"""
# A title counts most, then the message itself, then its files. Long texts count a little less.
_RANK = """
SELECT id, ts_filter(search_vector, '{b}') @@ %(exact)s::tsquery, ts_filter(search_vector, '{a}') @@ %(exact)s::tsquery
FROM conversations_message WHERE id = ANY(%(ids)s)
ORDER BY ts_rank_cd('{0.1, 0.3, 0.6, 1.0}', search_vector, %(exact)s::tsquery, 1) DESC, id DESC
OFFSET %(start)s LIMIT %(count)s
"""


class Ranked(NamedTuple):
    """A message, and whether its text or its title alone holds all that was asked for."""

    id: UUID
    is_in_text: bool
    is_in_title: bool


def find_newest(user: User, query: Query, *, days: Days, assistant_id: int | None) -> Matches:
    """Return up to 500 of the newest messages of a person that match.

    They are looked for back through time, only until there are enough. Where many messages hold the words but not, say,
    the phrase that they should be, the search ends after the newest 2,000 of them.
    """
    matches = Matches()
    for span in spans(user, days, matches):
        looked_at, ids = _newest(user, query, span, assistant_id, limit=matches.left)
        matches.ids += ids
        matches.looked_at += looked_at
        if matches.wanted <= 0 or matches.left <= 0:
            matches.is_capped = True
            break
    del matches.ids[RANKED:]
    return matches


def rank(ids: Sequence[UUID], query: Query, *, start: int, count: int) -> list[Ranked]:
    """Return some of the messages, best first: those from `start` on."""
    if start >= len(ids):
        return []
    with connection.cursor() as cursor:
        cursor.execute(_RANK, {"ids": list(ids), "exact": query.exact, "start": start, "count": count})
        return [Ranked(*row) for row in cursor.fetchall()]


def _newest(user: User, query: Query, span: Span, assistant_id: int | None, *, limit: int) -> tuple[int, list[UUID]]:
    owned = " | ".join(f"'{owner_lexeme(user.pk, period)}'" for period in span.periods)
    parameters = {
        "candidates": f"({owned}) & ({query.loose})",
        "exact": None if query.is_loose else query.exact,
        "owner": user.pk,
        "assistant": assistant_id,
        "since": span.since,
        "until": span.until,
        "limit": limit,
        "wanted": RANKED + 1,
    }
    with connection.cursor() as cursor:
        cursor.execute(_NEWEST, parameters)
        looked_at, ids = cursor.fetchone() or (0, [])
    return looked_at, ids
