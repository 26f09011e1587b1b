"""Ten years of a company's conversations, made by SQL: a million of them with ten million messages.

Texts are pieces of a pool put together, and so are their vectors: words keep the frequencies of a language (the word of
rank r is r times rarer than the first), and the database does not spend an hour on taking the same sentences to pieces.
"""

import time
from collections.abc import Iterator

import psycopg
from django.conf import settings

from conversations.models import Assistant

YEARS = 10
PEOPLE = 2_000
ASSISTANTS = 12
HEAVY = "heavy"  # the name of the one with 1/50 of all conversations, each of 20 messages
WORDS = 60_000
PIECES = 60_000
_PART = 10_000  # conversations in a transaction
_TABLES = ("conversations_message", "conversations_conversation")

_STOP_WORDS = "the of and to in a is that for it as was with be by on not he his but at are this have from or had an"

_FUNCTIONS = """
CREATE OR REPLACE FUNCTION bench_word(rank int) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT string_agg(substr('bdfgklmnprtvz', 1 + (rank / (65 ^ place)::int %% 65) / 5, 1)
    || substr('aeiou', 1 + (rank / (65 ^ place)::int %% 65) %% 5, 1), '' ORDER BY place) || 'k'
  FROM generate_series(0, 2) AS place
$$;
CREATE OR REPLACE FUNCTION bench_id(at timestamptz, conversation int, number int) RETURNS uuid LANGUAGE sql IMMUTABLE
AS $$
  SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7' || lpad(to_hex(number), 3, '0') || '8'
    || substr(md5(conversation::text || '-' || number::text), 1, 15))::uuid
$$;
"""

_POOL = """
CREATE TABLE bench_piece AS
SELECT number, text, setweight(to_tsvector(%(language)s::regconfig, text), 'B') AS vector
FROM (
  SELECT number, (
    SELECT string_agg(
      CASE WHEN random() < 0.4 THEN stop[1 + (random() * (array_length(stop, 1) - 1))::int]
      ELSE bench_word((%(words)s ^ random())::int) END, ' ')
    FROM generate_series(1, 15 + number %% 46), (SELECT string_to_array(%(stop)s, ' ') AS stop) AS stops
    WHERE number IS NOT NULL
  ) AS text
  FROM generate_series(0, %(pieces)s - 1) AS number
) AS piece
"""

_PART_SQL = """
WITH plan AS MATERIALIZED (
  SELECT planned.number, is_heavy, count, started_at,
    CASE WHEN is_heavy THEN %(heavy)s ELSE %(first)s + (random() ^ 2 * (%(people)s - 1))::int END AS owner_id,
    bench_id(started_at, planned.number, 0) AS id,
    bench_piece.text AS title
  FROM (
    SELECT number, number %% 50 = 0 AS is_heavy,
      CASE WHEN number %% 50 = 0 THEN 20 WHEN number %% 5 = 1 THEN 9 ELSE 10 END AS count,
      %(end)s::timestamptz - make_interval(secs => (%(total)s - number)::double precision / %(total)s * %(seconds)s)
        AS started_at
    FROM generate_series(%(from)s::int, %(to)s::int) AS number
  ) AS planned
  JOIN bench_piece ON bench_piece.number = planned.number %% %(pieces)s
), conversation AS (
  INSERT INTO conversations_conversation (id, owner_id, assistant_id, title, is_title_provisional, state,
    current_leaf_id, created_at, last_activity_at, concluded_by, hidden_at)
  SELECT id, owner_id, (%(assistants)s::bigint[])[1 + number %% %(assistant_count)s], left(title, 60), false, 'open',
    bench_id(started_at + count * interval '40 seconds', number, count), started_at,
    started_at + count * interval '40 seconds', '', CASE WHEN number %% 130 = 0 THEN started_at END
  FROM plan
)
INSERT INTO conversations_message (id, conversation_id, owner_id, parent_id, role, status, text, activity, attempt,
  error_code, error_text, search_vector, created_at, finished_at)
SELECT bench_id(at, plan.number, turn), plan.id, plan.owner_id,
  CASE WHEN turn > 1 THEN bench_id(at - interval '40 seconds', plan.number, turn - 1) END,
  CASE WHEN turn %% 2 = 1 THEN 'user' ELSE 'assistant' END, 'completed',
  CASE WHEN turn %% 2 = 1 THEN one.text ELSE concat_ws(' ', one.text, two.text, three.text, four.text, five.text)
  END, '', 1, '', '',
  array_to_tsvector(ARRAY(
      SELECT concat(E'\\x01', plan.owner_id, to_char(at AT TIME ZONE 'UTC', period))
      FROM unnest(ARRAY['', ' YYYY', ' YYYY-MM']) AS period
    ))
    || CASE WHEN turn = 1 THEN setweight(to_tsvector(%(language)s::regconfig, left(plan.title, 60)), 'A')
         ELSE ''::tsvector END
    || CASE WHEN turn %% 2 = 1 THEN one.vector
         ELSE one.vector || two.vector || three.vector || four.vector || five.vector END,
  at, at
FROM plan
CROSS JOIN LATERAL (
  SELECT turn, plan.started_at + turn * interval '40 seconds' AS at,
    (random() * (%(pieces)s - 1))::int AS a, (random() * (%(pieces)s - 1))::int AS b,
    (random() * (%(pieces)s - 1))::int AS c, (random() * (%(pieces)s - 1))::int AS d,
    (random() * (%(pieces)s - 1))::int AS e
  FROM generate_series(1, plan.count) AS turn
) AS turns
JOIN bench_piece AS one ON one.number = a
JOIN bench_piece AS two ON two.number = b
JOIN bench_piece AS three ON three.number = c
JOIN bench_piece AS four ON four.number = d
JOIN bench_piece AS five ON five.number = e
ORDER BY plan.number, turn
"""


def load(url: str, *, conversations: int) -> None:
    """Fill an empty, migrated database; what an earlier run had finished is kept."""
    for number in range(ASSISTANTS):
        Assistant.objects.get_or_create(slug=f"bench-{number}", defaults={"name": f"Bench {number}"})
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET maintenance_work_mem = '2GB'")
        connection.execute("SET work_mem = '256MB'")
        connection.execute("SET synchronous_commit = off")
        connection.execute("CREATE TABLE IF NOT EXISTS bench_part (part int PRIMARY KEY)")
        connection.execute("CREATE TABLE IF NOT EXISTS bench_later (place serial, statement text)")
        if not connection.execute("SELECT to_regclass('bench_piece')").fetchone()[0]:  # type: ignore[index]
            _prepare(connection)
        for part in _missing_parts(connection, conversations):
            began = time.monotonic()
            _load_part(connection, part, conversations)
            print(f"part {part} of {conversations // _PART}: {time.monotonic() - began:.1f} s", flush=True)
        for place, statement in connection.execute(
            "SELECT place, statement FROM bench_later ORDER BY place"
        ).fetchall():
            began = time.monotonic()
            with connection.transaction():
                connection.execute(statement)
                connection.execute("DELETE FROM bench_later WHERE place = %s", [place])
            print(f"{statement[:90]}: {time.monotonic() - began:.1f} s", flush=True)
        for table in _TABLES:
            connection.execute(f"VACUUM (ANALYZE) {table}")


def is_loaded(url: str, *, conversations: int) -> bool:
    """Whether a database holds all of it already."""
    with psycopg.connect(url, autocommit=True) as connection:
        if not connection.execute("SELECT to_regclass('bench_later')").fetchone()[0]:  # type: ignore[index]
            return False
        parts, later = connection.execute(
            "SELECT (SELECT count(*) FROM bench_part), (SELECT count(*) FROM bench_later)"
        ).fetchone() or (0, 0)
        return bool(parts == conversations // _PART and later == 0)


def _prepare(connection: psycopg.Connection) -> None:
    """Make people, assistants and the pool, and take off the indexes and foreign keys, which are made again last."""
    with connection.transaction():
        connection.execute(
            "INSERT INTO bench_later (statement) SELECT indexdef FROM pg_indexes WHERE tablename = ANY(%s)"
            " AND indexname NOT IN (SELECT conname FROM pg_constraint)",
            [list(_TABLES)],
        )
        foreign = connection.execute(
            "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE contype = 'f' AND conrelid = ANY(%s::regclass[])",
            [list(_TABLES)],
        ).fetchall()
        for table, name, definition in foreign:
            connection.execute(
                "INSERT INTO bench_later (statement) VALUES (%s)",
                [f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {definition} NOT VALID'],
            )
            connection.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
        for (name,) in connection.execute(
            "SELECT indexname FROM pg_indexes WHERE tablename = ANY(%s)"
            " AND indexname NOT IN (SELECT conname FROM pg_constraint)",
            [list(_TABLES)],
        ).fetchall():
            connection.execute(f'DROP INDEX "{name}"')
        connection.execute(
            "INSERT INTO accounts_user (username, email, password, first_name, last_name, is_staff, is_superuser,"
            " is_active, date_joined) SELECT CASE number WHEN 0 THEN %s ELSE 'bench' || number END,"
            " 'bench' || number || '@example.org', '', '', '', false, false, true, now()"
            " FROM generate_series(0, %s) AS number",
            [HEAVY, PEOPLE],
        )
        connection.execute(_FUNCTIONS.replace("%%", "%"))
        connection.execute("SELECT setseed(0.5)")
        connection.execute(
            _POOL,
            {"language": settings.SEARCH_LANGUAGE, "words": WORDS, "pieces": PIECES, "stop": _STOP_WORDS},
        )
        connection.execute("CREATE UNIQUE INDEX ON bench_piece (number)")
    connection.execute("VACUUM (ANALYZE) bench_piece")


def _missing_parts(connection: psycopg.Connection, conversations: int) -> Iterator[int]:
    done = {row[0] for row in connection.execute("SELECT part FROM bench_part").fetchall()}
    return (part for part in range(conversations // _PART) if part not in done)


def _load_part(connection: psycopg.Connection, part: int, conversations: int) -> None:
    heavy, first = connection.execute(
        "SELECT id, (SELECT min(id) FROM accounts_user WHERE username LIKE 'bench%%') FROM accounts_user"
        " WHERE username = %s",
        [HEAVY],
    ).fetchone() or (0, 0)
    assistants = [row[0] for row in connection.execute("SELECT id FROM conversations_assistant ORDER BY id").fetchall()]
    with connection.transaction():
        connection.execute(
            _PART_SQL,
            {
                "heavy": heavy,
                "first": first,
                "people": PEOPLE,
                "assistants": assistants,
                "assistant_count": len(assistants),
                "pieces": PIECES,
                "language": settings.SEARCH_LANGUAGE,
                "total": conversations,
                "seconds": YEARS * 365.25 * 86_400,
                "end": "2026-11-20",
                "from": part * _PART + 1,
                "to": (part + 1) * _PART,
            },
        )
        connection.execute("INSERT INTO bench_part VALUES (%s)", [part])
