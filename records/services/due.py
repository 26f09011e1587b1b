"""Which conversations may go now: asked in the same words by dry runs, by runs, and again before each removal."""

from __future__ import annotations

import datetime
import enum
from typing import NamedTuple
from uuid import UUID

from django.db import connection

BATCH = 200

# What keeps a conversation that is due: a hold comes first, then whatever is still on its way in it.
_ON_ITS_WAY = """
EXISTS (SELECT FROM conversations_message WHERE conversation_id = conversation.id AND status IN ('queued', 'streaming'))
OR EXISTS (
    SELECT FROM conversations_generation WHERE conversation_id = conversation.id AND status IN ('pending', 'running')
)
OR conversation.state = 'concluded'
    AND NOT EXISTS (SELECT FROM conversations_sealeddocument WHERE conversation_id = conversation.id)
OR EXISTS (
    SELECT FROM conversations_message AS message JOIN conversations_attachment AS file ON file.message_id = message.id
    WHERE message.conversation_id = conversation.id AND file.state = 'pending'
)
"""
_HELD = """
EXISTS (SELECT FROM records_legalhold WHERE conversation_id = conversation.id AND lifted_at IS NULL)
OR EXISTS (SELECT FROM records_legalhold WHERE user_id = conversation.owner_id AND lifted_at IS NULL)
"""
# A person who is erased goes whole or not at all: a hold on one conversation keeps all of them.
_PERSON_IS_HELD = """
EXISTS (SELECT FROM records_legalhold WHERE user_id = conversation.owner_id AND lifted_at IS NULL)
OR EXISTS (
    SELECT FROM records_legalhold AS hold JOIN conversations_conversation AS held ON held.id = hold.conversation_id
    WHERE hold.lifted_at IS NULL AND held.owner_id = conversation.owner_id
)
"""
# Of all policies that match, the one that keeps the conversation longest decides; one that never lets it go, as it is
# not concluded, comes before all others.
_DUE = f"""
SELECT conversation.id, conversation.last_activity_at, deciding.id,
    CASE WHEN {_HELD} THEN 'held' WHEN {_ON_ITS_WAY} THEN 'waiting' ELSE 'due' END
FROM conversations_conversation AS conversation
CROSS JOIN LATERAL (
    SELECT policy.id, make_interval(days => policy.days)
        + CASE policy.basis WHEN 'concluded' THEN conversation.concluded_at ELSE conversation.last_activity_at END
        AS until
    FROM records_retentionpolicy AS policy
    WHERE policy.is_enabled
        AND (policy.assistant_id IS NULL OR policy.assistant_id = conversation.assistant_id)
        AND (policy.group_id IS NULL OR EXISTS (
            SELECT FROM accounts_user_groups
            WHERE user_id = conversation.owner_id AND group_id = policy.group_id
        ))
    ORDER BY until DESC NULLS FIRST, policy.id LIMIT 1
) AS deciding
WHERE conversation.removal_begun_at IS NULL AND deciding.until <= statement_timestamp()
    AND conversation.last_activity_at <= statement_timestamp() - (
        SELECT make_interval(days => min(days)) FROM records_retentionpolicy WHERE is_enabled
    )
"""
_NEXT_DUE = f"""{_DUE}
    AND (conversation.last_activity_at, conversation.id) > (%(time)s::timestamptz, %(id)s::uuid)
ORDER BY conversation.last_activity_at, conversation.id LIMIT %(batch)s
"""
_ONE_DUE = f"{_DUE} AND conversation.id = %(id)s"
_OF_PERSON = f"""
SELECT conversation.id, conversation.last_activity_at, NULL::bigint,
    CASE WHEN {_PERSON_IS_HELD} THEN 'held' WHEN {_ON_ITS_WAY} THEN 'waiting' ELSE 'due' END
FROM conversations_conversation AS conversation
WHERE conversation.removal_begun_at IS NULL
"""
_NEXT_OF_PERSON = f"""{_OF_PERSON}
    AND conversation.owner_id = %(owner)s AND conversation.id > %(id)s::uuid
ORDER BY conversation.id LIMIT %(batch)s
"""
_ONE_OF_PERSON = f"{_OF_PERSON} AND conversation.id = %(id)s"


class Standing(enum.StrEnum):
    """What is to be done with a conversation."""

    DUE = "due"
    HELD = "held"
    WAITING = "waiting"  # something in it is on its way: an answer, a title, a file, its sealed document
    KEPT = "kept"  # no policy, or not every one that matches, lets it go
    GONE = "gone"  # somebody else has begun to remove it


class Due(NamedTuple):
    """A conversation whose time is over, and what stands in the way, if anything."""

    id: UUID
    last_activity_at: datetime.datetime
    policy_id: int | None
    """The policy that decides: of those that match, the one that keeps it longest."""
    standing: Standing


def next_due(after: Due | None = None) -> list[Due]:
    """Return the next conversations behind `after` that the policies let go, the oldest first."""
    time, last = (after.last_activity_at, after.id) if after else ("-infinity", UUID(int=0))
    with connection.cursor() as cursor:
        cursor.execute(_NEXT_DUE, {"time": time, "id": last, "batch": BATCH})
        return _read(cursor.fetchall())


def find_due(conversation_id: UUID) -> Due | None:
    """Return how one conversation stands with the policies; None where they do not let it go."""
    with connection.cursor() as cursor:
        cursor.execute(_ONE_DUE, {"id": conversation_id})
        return next(iter(_read(cursor.fetchall())), None)


def next_of_person(owner_id: int, after: Due | None = None) -> list[Due]:
    """Return the next conversations of a person who is to be erased."""
    last = after.id if after else UUID(int=0)
    with connection.cursor() as cursor:
        cursor.execute(_NEXT_OF_PERSON, {"owner": owner_id, "id": last, "batch": BATCH})
        return _read(cursor.fetchall())


def find_of_person(conversation_id: UUID) -> Due | None:
    """Return how one conversation of a person who is to be erased stands; None where its removal has begun."""
    with connection.cursor() as cursor:
        cursor.execute(_ONE_OF_PERSON, {"id": conversation_id})
        return next(iter(_read(cursor.fetchall())), None)


def _read(rows: list[tuple[UUID, datetime.datetime, int | None, str]]) -> list[Due]:
    return [Due(*row[:3], Standing(row[3])) for row in rows]
