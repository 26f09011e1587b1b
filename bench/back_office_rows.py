"""What reviewers look at beside the messages that bench/history_rows.py makes: calls, endings, files, ratings, reviews.

Everything is made by SQL from hashes of ids, so that two runs make the same, in steps of which each is done once.
Models followed each other through the years, as they do: what is asked about an old one lies far back.
"""

from __future__ import annotations

import time

import psycopg

PARTS = 50
_MODELS = (
    # Name, from which year on, and the price of a million tokens of input and of output.
    ("bench-first", 2016, "1.50", "2.00"),
    ("bench-second", 2020, "10.00", "30.00"),
    ("gpt-4o", 2024, "2.50", "10.00"),
)
_RARE = "bench-rare"  # chosen for one answer in 500, in all years
GROUPS = 20

_MAKE_MODELS = """
INSERT INTO conversations_languagemodel
SELECT (jsonb_populate_record(template, jsonb_build_object(
    'id', nextval(pg_get_serial_sequence('conversations_languagemodel', 'id')), 'name', made.name, 'label', made.name,
    'replacement_id', NULL
))).*
FROM conversations_languagemodel AS template, unnest(%(names)s::text[]) AS made (name)
WHERE template.name = 'gpt-4o' AND made.name NOT IN (SELECT name FROM conversations_languagemodel)
"""
_CALLS = """
INSERT INTO conversations_generation (id, purpose, conversation_id, message_id, step, attempt, status, model_id,
  model_asked, model_answered, instructions, parameters, omitted_messages, response_id, request_id, input_tokens,
  cached_tokens, output_tokens, reasoning_tokens, usage_source, cost, reserved_tokens, reserved_cost, finish_reason,
  error_code, error_detail, created_at, started_at, first_text_at, finished_at)
SELECT message.id, 'answer', message.conversation_id, message.id, 1, 1, message.status, model.id,
  model.name, model.name,
  '', '{}', 0, '', '', sums.tokens_in, 0, sums.tokens_out, 0, 'exact',
  round(sums.tokens_in * used.price_in / 1000000 + sums.tokens_out * used.price_out / 1000000, 8),
  0, 0, '', message.error_code, '', message.created_at, message.created_at,
  CASE WHEN message.text <> '' THEN message.created_at + (200 + sums.dice %% 3000) * interval '1 millisecond' END,
  message.created_at + (2000 + sums.dice %% 20000) * interval '1 millisecond'
FROM conversations_message AS message
CROSS JOIN LATERAL (
  SELECT abs(hashtext(message.id::text)::bigint) AS dice
) AS thrown
CROSS JOIN LATERAL (
  SELECT dice, (200 + dice %% 3000 + CASE WHEN dice %% 400 = 0 THEN 90000 ELSE 0 END)::int AS tokens_in,
    (50 + dice %% 700)::int AS tokens_out
) AS sums
JOIN unnest(%(names)s::text[], %(years)s::int[], %(until)s::int[], %(inputs)s::numeric[], %(outputs)s::numeric[])
  AS used (name, since, before, price_in, price_out)
  ON extract(year FROM message.created_at) >= used.since AND extract(year FROM message.created_at) < used.before
JOIN conversations_languagemodel AS model
  ON model.name = CASE WHEN sums.dice %% 500 = 7 THEN %(rare)s ELSE used.name END
WHERE message.role = 'assistant' AND message.created_at >= %(since)s AND message.created_at < %(before)s
"""
_ENDINGS = """
UPDATE conversations_message SET
  status = CASE WHEN dice < 4 THEN 'failed' WHEN dice < 5 THEN 'interrupted' WHEN dice < 6 THEN 'refused'
    WHEN dice < 8 THEN 'stopped' ELSE 'incomplete' END,
  error_code = CASE WHEN dice < 4 THEN 'timeout' ELSE '' END
FROM (
  SELECT id, abs(hashtext(id::text)::bigint) / 7 %% 1000 AS dice FROM conversations_message
  WHERE role = 'assistant' AND created_at >= %(since)s AND created_at < %(before)s
) AS thrown
WHERE conversations_message.id = thrown.id AND dice < 10
"""
_FILES = """
INSERT INTO conversations_attachment (id, message_id, owner_id, origin, state, bucket, key, name, content_type, size,
  sha256, is_read, failure, container_id, container_file_id, source_id, provider_file_id, created_at, ready_at, width,
  height)
SELECT id, id, owner_id, 'user', 'ready', '', id::text, 'report-' || left(id::text, 8) || '.pdf', 'application/pdf',
  120000, md5(id::text) || md5(id::text), true, '', '', '', '', '', created_at, created_at, NULL, NULL
FROM conversations_message
WHERE parent_id IS NULL AND abs(hashtext(id::text)::bigint) / 11 %% 25 = 0
"""
_RATINGS = """
INSERT INTO conversations_feedback (message_id, user_id, rating, reason, created_at, updated_at)
SELECT id, owner_id, CASE WHEN abs(hashtext(id::text)::bigint) / 13 %% 200 < 3 THEN 'up' ELSE 'down' END, '',
  created_at, created_at
FROM conversations_message
WHERE role = 'assistant' AND abs(hashtext(id::text)::bigint) / 13 %% 200 < 4
"""
_CONCLUDED = """
UPDATE conversations_conversation SET state = 'concluded', concluded_at = last_activity_at, concluded_by = 'owner'
WHERE abs(hashtext(id::text)::bigint) / 17 %% 10 = 0
"""
_REVIEWS = """
INSERT INTO records_review (id, conversation_id, state, claimed_by_id, claimed_at, verdict, note, created_at,
  decided_at)
SELECT id, id, CASE WHEN is_waiting THEN 'waiting' ELSE 'done' END, CASE WHEN NOT is_waiting THEN %(reviewer)s END,
  CASE WHEN NOT is_waiting THEN last_activity_at END,
  CASE WHEN is_waiting THEN '' WHEN dice < 2 THEN 'violation' WHEN dice < 6 THEN 'concern' ELSE 'fine' END, '',
  last_activity_at, CASE WHEN NOT is_waiting THEN last_activity_at END
FROM (
  SELECT id, last_activity_at, abs(hashtext(id::text)::bigint) / 19 %% 1000 AS dice,
    last_activity_at > '2026-09-01' AS is_waiting FROM conversations_conversation
) AS thrown
WHERE dice < 30
"""
_GROUPS = """
WITH made AS (
  INSERT INTO auth_group (name) SELECT 'Bench ' || number FROM generate_series(1, %(groups)s) AS number RETURNING id
)
INSERT INTO accounts_user_groups (user_id, group_id)
SELECT person.id, numbered.id FROM accounts_user AS person
JOIN (SELECT id, row_number() OVER (ORDER BY id) - 1 AS number FROM made) AS numbered
  ON person.id %% (SELECT count(*) FROM made) = numbered.number
"""


def load(url: str) -> None:
    """Do what is not done yet of all steps."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS bench_office (step text PRIMARY KEY)")
        connection.execute("SET synchronous_commit = off")
        connection.execute("SET work_mem = '128MB'")
        first, last = connection.execute(
            "SELECT min(created_at), max(created_at) + interval '1 second' FROM conversations_message"
        ).fetchone() or (None, None)
        reviewer = connection.execute("SELECT min(id) FROM accounts_user").fetchone()
        parts = [
            {"since": first + (last - first) * number / PARTS, "before": first + (last - first) * (number + 1) / PARTS}
            for number in range(PARTS)
        ]
        names, years, inputs, outputs = (list(column) for column in zip(*_MODELS, strict=True))
        used = {
            "names": names,
            "years": years,
            "until": [*years[1:], 9999],
            "inputs": inputs,
            "outputs": outputs,
            "rare": _RARE,
        }
        _once(connection, "models", _MAKE_MODELS, {"names": [*names, _RARE]})
        for number, part in enumerate(parts):
            _once(connection, f"endings {number}", _ENDINGS, part)
        for number, part in enumerate(parts):
            _once(connection, f"calls {number}", _CALLS, used | part)
        _once(connection, "files", _FILES, {})
        _once(connection, "ratings", _RATINGS, {})
        _once(connection, "concluded", _CONCLUDED, {})
        _once(connection, "reviews", _REVIEWS, {"reviewer": reviewer and reviewer[0]})
        _once(connection, "groups", _GROUPS, {"groups": GROUPS})


def tidy(url: str) -> None:
    """Do once what PostgreSQL itself would do in the hours after such a load."""
    with psycopg.connect(url, autocommit=True) as connection:
        if _begin(connection, "tidy"):
            connection.execute("VACUUM (ANALYZE)")


def _once(connection: psycopg.Connection, step: str, statement: str, parameters: dict[str, object]) -> None:
    began = time.monotonic()
    with connection.transaction():
        if not _begin(connection, step):
            return
        connection.execute(statement, parameters)
    print(f"{step}: {time.monotonic() - began:.1f} s", flush=True)


def _begin(connection: psycopg.Connection, step: str) -> bool:
    made = connection.execute("INSERT INTO bench_office VALUES (%s) ON CONFLICT DO NOTHING RETURNING step", [step])
    return made.fetchone() is not None
