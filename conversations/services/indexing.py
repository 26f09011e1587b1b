"""The words of messages for search: a job of its own writes them, after the message has ended."""

from __future__ import annotations

import logging
import time
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, connection, transaction

from conversations.lexemes import JOINING, PARTING
from conversations.models import Message

logger = logging.getLogger(__name__)

BATCH = 50
RUN_SECONDS = 8.0  # the next run comes after 10
# Characters of a text that are indexed, and if PostgreSQL refuses the vector of that many (1 MB is the most), then
# fewer. Of no text a vector can always be made.
LENGTHS = (200_000, 20_000, 0)

# The newest first: after an import of old messages, or with another language, today's are found at once. Rows that are
# locked are somebody else's batch, or are being renamed, and come next time.
_PICK = """
SELECT id FROM conversations_message
WHERE search_vector IS NULL AND NOT (status IN ('queued', 'streaming')) AND id < %(before)s
ORDER BY id DESC LIMIT %(count)s FOR NO KEY UPDATE SKIP LOCKED
"""
# Three lexemes say whose it is and from when (see conversations/lexemes.py). Each file has its part of the
# length, so that the last of ten is found as well.
_INDEX = """
UPDATE conversations_message AS message SET search_vector =
    array_to_tsvector(ARRAY(
        SELECT concat(E'\\x01', message.owner_id, to_char(message.created_at AT TIME ZONE 'UTC', period))
        FROM unnest(ARRAY['', ' YYYY', ' YYYY-MM']) AS period
    ))
    || CASE WHEN message.parent_id IS NULL AND NOT EXISTS (
        SELECT FROM conversations_message AS earlier
        WHERE earlier.conversation_id = message.conversation_id AND earlier.id < message.id
    ) THEN setweight(to_tsvector(%(language)s::regconfig, translate(
        (SELECT title FROM conversations_conversation WHERE id = message.conversation_id), %(joining)s, %(parting)s
    )), 'A') ELSE ''::tsvector END
    || setweight(to_tsvector(%(language)s::regconfig, translate(
        left(message.text, %(length)s), %(joining)s, %(parting)s
    )), 'B')
    || setweight(to_tsvector(%(language)s::regconfig, translate(
        coalesce(file.text, ''), %(joining)s, %(parting)s
    )), 'C')
FROM unnest(%(ids)s::uuid[]) AS picked (id)
LEFT JOIN LATERAL (
    SELECT string_agg(attachment.name || E'\n' || left(coalesce(content.text, ''), %(length)s / files.count), E'\n')
    FROM conversations_attachment AS attachment
    LEFT JOIN conversations_attachmenttext AS content ON content.attachment_id = attachment.id
    CROSS JOIN (
        SELECT count(*)::int FROM conversations_attachment WHERE message_id = picked.id AND state = 'ready'
    ) AS files
    WHERE attachment.message_id = picked.id AND attachment.state = 'ready'
) AS file (text) ON true
WHERE message.id = picked.id
"""
_LAST = UUID(int=2**128 - 1)
_TOO_LONG = "54000"  # program_limit_exceeded: “string is too long for tsvector”


def index_messages(*, seconds: float = RUN_SECONDS) -> int:
    """Index messages that have ended, newest first, for so many seconds at most; return how many.

    A message that PostgreSQL refuses keeps no other from it: less of its text is indexed.
    """
    give_up_at = time.monotonic() + seconds
    count, before = 0, _LAST
    while time.monotonic() < give_up_at:
        picked = _index_batch(before)
        if not picked:
            break
        count, before = count + len(picked), min(picked)
    return count


def index_title_again(*, conversation_id: UUID) -> None:
    """Have the first message of a conversation indexed anew: the title's words are in its vector.

    To be called in the transaction that changes the title. The job locks messages first and reads titles then, so it
    sees either this title, or the empty vector.
    """
    first = Message.objects.filter(conversation_id=conversation_id, parent=None).order_by("id").values("pk")[:1]
    Message.objects.filter(pk=first).update(search_vector=None)


def _index_batch(before: UUID) -> list[UUID]:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_PICK, {"before": before, "count": BATCH})
        picked = [row[0] for row in cursor.fetchall()]
        if picked and not _index(picked, LENGTHS[0]):
            for one in picked:
                _index_what_can_be(one)
    return picked


def _index_what_can_be(message_id: UUID) -> None:
    for length in LENGTHS:
        if _index([message_id], length):
            if length < LENGTHS[0]:
                logger.warning("Of message %s only %s characters could be indexed", message_id, length)
            return
    raise DatabaseError(f"Message {message_id} cannot be indexed at all")


def _index(ids: list[UUID], length: int) -> bool:
    """Write the vectors of some messages, in a statement; return False where PostgreSQL refuses one of them."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            parameters = {"language": settings.SEARCH_LANGUAGE, "joining": JOINING, "parting": PARTING}
            cursor.execute(_INDEX, {**parameters, "ids": ids, "length": length})
    except DatabaseError as error:
        if getattr(error.__cause__, "sqlstate", None) != _TOO_LONG:
            raise
        return False
    return True
