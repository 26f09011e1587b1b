"""The statements that measure a conversation, find its objects and delete its rows. What they promise: removing.py."""

from __future__ import annotations

_FILES = """
conversations_attachment AS file JOIN conversations_message AS message ON message.id = file.message_id
    WHERE message.conversation_id = %(id)s
"""

MEASURE = f"""
SELECT said.messages, called.generations, called.input_tokens, called.output_tokens, called.cost,
    called.unpriced_calls, carried.attachments, carried.attachment_bytes, carried.file_hashes,
    coalesce((SELECT sha256 FROM conversations_sealeddocument WHERE conversation_id = %(id)s), '') AS sealed_sha256
FROM (SELECT count(*) AS messages FROM conversations_message WHERE conversation_id = %(id)s) AS said
CROSS JOIN (
    SELECT count(*) AS generations, coalesce(sum(input_tokens), 0)::bigint AS input_tokens,
        coalesce(sum(output_tokens), 0)::bigint AS output_tokens, coalesce(sum(cost), 0) AS cost,
        count(*) FILTER (
            WHERE cost IS NULL AND started_at IS NOT NULL AND finished_at IS NOT NULL
            AND (status <> 'failed' OR output_tokens IS NOT NULL)
        ) AS unpriced_calls
    FROM conversations_generation WHERE conversation_id = %(id)s
) AS called
CROSS JOIN (
    SELECT coalesce(sum(rows), 0)::bigint AS attachments, coalesce(sum(size), 0)::bigint AS attachment_bytes,
        coalesce(array_agg(DISTINCT sha256 ORDER BY sha256) FILTER (WHERE sha256 <> ''), '{{}}') AS file_hashes
    FROM (
        SELECT count(*) AS rows, max(file.size) AS size, max(file.sha256) AS sha256 FROM {_FILES} GROUP BY file.key
    ) AS object
) AS carried
"""
"""Rows that share an object take its room once."""

OBJECTS = f"""
SELECT DISTINCT file.bucket, file.key FROM {_FILES} AND NOT EXISTS (
    SELECT FROM conversations_attachment AS other
    LEFT JOIN conversations_message AS carrier ON carrier.id = other.message_id
    LEFT JOIN conversations_conversation AS elsewhere ON elsewhere.id = carrier.conversation_id
    WHERE other.key = file.key AND other.bucket = file.bucket AND elsewhere.removal_begun_at IS NULL
)
UNION ALL SELECT bucket, key FROM conversations_sealeddocument WHERE conversation_id = %(id)s
"""
"""Rows of conversations whose removal has begun hold on to nothing, or two that go at once would both leave an object
to the other."""

# The first keeps away whoever would add a row that names the conversation, the second whoever would rate an answer.
LOCK_ALL = """
SELECT id FROM conversations_conversation WHERE id = %(id)s FOR UPDATE;
SELECT count(*) FROM (
    SELECT id FROM conversations_message WHERE conversation_id = %(id)s ORDER BY id FOR UPDATE
) AS locked
"""

PROVIDER_FILES = f"""
SELECT DISTINCT file.provider_file_id FROM {_FILES} AND file.provider_file_id <> ''
    AND (file.provider_file_expires_at IS NULL OR file.provider_file_expires_at > statement_timestamp())
"""

_MESSAGES = "SELECT id FROM conversations_message WHERE conversation_id = %(id)s"
_REVIEWS = "SELECT id FROM records_review WHERE conversation_id = %(id)s"
_DELETIONS = (
    "UPDATE batches_batchitem SET status = 'removed', conversation_id = NULL, message_id = NULL"
    " WHERE conversation_id = %(id)s",
    f"DELETE FROM conversations_attachmenttext WHERE attachment_id IN (SELECT file.id FROM {_FILES})",
    f"DELETE FROM conversations_attachment WHERE message_id IN ({_MESSAGES})",
    f"DELETE FROM conversations_feedback WHERE message_id IN ({_MESSAGES})",
    f"DELETE FROM conversations_messagechunk WHERE message_id IN ({_MESSAGES})",
    f"DELETE FROM records_reviewreason WHERE review_id IN ({_REVIEWS})",
    f"DELETE FROM records_review_labels WHERE review_id IN ({_REVIEWS})",
    "DELETE FROM records_review WHERE conversation_id = %(id)s",
    "DELETE FROM records_conversationfact WHERE conversation_id = %(id)s",
    "DELETE FROM conversations_sealeddocument WHERE conversation_id = %(id)s",
    # Jobs that failed are kept by their worker; those that went well are gone.
    "DELETE FROM procrastinate_jobs WHERE status NOT IN ('todo', 'doing') AND id IN ("
    "SELECT job_id FROM conversations_generation WHERE conversation_id = %(id)s)",
    "DELETE FROM conversations_generation WHERE conversation_id = %(id)s",
    "DELETE FROM conversations_message WHERE conversation_id = %(id)s",
    "DELETE FROM conversations_conversation WHERE id = %(id)s",
)
DELETE_ALL = ";\n".join(_DELETIONS)
"""From every table that holds something of a conversation; a test looks for what is left in any."""
