"""The sums of conversations, reckoned by a job from marks that the database leaves wherever something changes."""

from __future__ import annotations

import time
from uuid import UUID

from django.db import connection, transaction

from records.models import StaleConversation

BATCH = 200
RUN_SECONDS = 8.0  # the next run comes after 10
_LOCK = 4_480_951_377_206_118_923  # of whoever reckons; any number that nobody else locks will do

_TAKE = """
DELETE FROM records_staleconversation WHERE id = ANY(ARRAY(
    SELECT id FROM records_staleconversation ORDER BY id LIMIT %(count)s
)) RETURNING conversation_id
"""
# Nobody removes these until their sums are written; what is gone already is left out.
_HOLD = "SELECT id FROM conversations_conversation WHERE id = ANY(%(ids)s) ORDER BY id FOR KEY SHARE"
_RECKON = """
INSERT INTO records_conversationfact AS fact (
    conversation_id, messages, answers, failed, refused, stopped, cut_off, files, thumbs_up, thumbs_down,
    tokens, cost, unpriced_calls, model_ids, last_activity_at, updated_at
)
SELECT conversation.id, said.messages, said.answers, said.failed, said.refused, said.stopped, said.cut_off,
    said.files, said.thumbs_up, said.thumbs_down, called.tokens, called.cost, called.unpriced, called.model_ids,
    conversation.last_activity_at, statement_timestamp()
FROM unnest(%(ids)s::uuid[]) AS stale (id)
JOIN conversations_conversation AS conversation ON conversation.id = stale.id
CROSS JOIN LATERAL (
    SELECT count(*) AS messages, count(*) FILTER (WHERE role = 'assistant') AS answers,
        count(*) FILTER (WHERE status IN ('failed', 'interrupted')) AS failed,
        count(*) FILTER (WHERE status = 'refused') AS refused,
        count(*) FILTER (WHERE status = 'stopped') AS stopped,
        count(*) FILTER (WHERE status = 'incomplete') AS cut_off,
        coalesce(sum((
            SELECT count(*) FROM conversations_attachment WHERE message_id = message.id AND state <> 'deleted'
        )), 0) AS files,
        coalesce(sum(rated.up), 0) AS thumbs_up, coalesce(sum(rated.down), 0) AS thumbs_down
    FROM conversations_message AS message
    CROSS JOIN LATERAL (
        SELECT (count(*) FILTER (WHERE rating = 'up') > 0)::int AS up,
            (count(*) FILTER (WHERE rating = 'down') > 0)::int AS down
        FROM conversations_feedback WHERE message_id = message.id
    ) AS rated
    WHERE message.conversation_id = conversation.id
) AS said
CROSS JOIN LATERAL (
    SELECT coalesce(sum(coalesce(input_tokens::bigint, 0) + coalesce(output_tokens, 0)), 0) AS tokens,
        coalesce(sum(cost), 0) AS cost,
        count(*) FILTER (
            WHERE cost IS NULL AND NOT is_local AND started_at IS NOT NULL AND finished_at IS NOT NULL
            AND (status <> 'failed' OR output_tokens IS NOT NULL)
        ) AS unpriced,
        coalesce(array_agg(DISTINCT model_id) FILTER (WHERE purpose = 'answer'), '{}') AS model_ids
    FROM conversations_generation AS call JOIN conversations_languagemodel AS model ON model.id = call.model_id
    WHERE call.conversation_id = conversation.id
) AS called
ON CONFLICT (conversation_id) DO UPDATE SET
    messages = excluded.messages, answers = excluded.answers, failed = excluded.failed, refused = excluded.refused,
    stopped = excluded.stopped, cut_off = excluded.cut_off, files = excluded.files, thumbs_up = excluded.thumbs_up,
    thumbs_down = excluded.thumbs_down, tokens = excluded.tokens, cost = excluded.cost,
    unpriced_calls = excluded.unpriced_calls, model_ids = excluded.model_ids,
    last_activity_at = excluded.last_activity_at, updated_at = excluded.updated_at
"""
_MARK_ALL = """
INSERT INTO records_staleconversation (conversation_id) SELECT id FROM conversations_conversation ORDER BY id DESC
"""


def keep_facts(*, seconds: float = RUN_SECONDS) -> int:
    """Reckon the sums of conversations that changed, for so many seconds at most; return how many marks were taken.

    A mark goes in the transaction that writes the sums, and the sums are read after the mark was taken: what is
    committed later has left a mark of its own. One at a time, so that no older sums are written over newer ones.
    """
    give_up_at = time.monotonic() + seconds
    count = 0
    while time.monotonic() < give_up_at:
        taken = _keep_batch()
        if not taken:
            break
        count += taken
    return count


def mark_all_stale() -> int:
    """Have the sums of all conversations reckoned anew by the job, newest first; return how many there are."""
    with connection.cursor() as cursor:
        cursor.execute(_MARK_ALL)
        return int(cursor.rowcount)


def count_stale() -> int:
    """Return how many marks wait."""
    return StaleConversation.objects.count()


def _keep_batch() -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
        if cursor.fetchone() != (True,):
            return 0
        cursor.execute(_TAKE, {"count": BATCH})
        taken: list[UUID] = [row[0] for row in cursor.fetchall()]
        if taken:
            cursor.execute(_HOLD, {"ids": sorted(set(taken))})
            held = [row[0] for row in cursor.fetchall()]
            cursor.execute(_RECKON, {"ids": held})
        return len(taken)
