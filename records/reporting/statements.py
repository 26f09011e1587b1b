"""The statements of the usage page: sums of a span by time and by what is asked for, in one reading of few rows."""

from __future__ import annotations

from records.models import MEASURES

_COLUMNS = ", ".join(MEASURES)
# Whole numbers as such: PostgreSQL adds bigints up to a numeric.
_SUMS = ", ".join(f"sum({name})::bigint AS {name}" for name in MEASURES if name != "cost")
_SUMS = f"{_SUMS}, sum(cost) AS cost"
_NAMES = ", ".join([*(name for name in MEASURES if name != "cost"), "cost"])


def _piece(name: str, columns: str, kind: str) -> str:
    """Return the query of one range of the span: see records/reporting/spans.py."""
    if name.startswith("days"):
        start, table, rows = "day", "records_usagefact", "true"
    else:
        period = "year" if name == "years" else "month"
        start, table, rows = "start", "records_usagesum", f"kind = {kind} AND period = '{period}'"
    return (
        f"SELECT {start} AS start, owner_id, assistant_id, model_id, {columns} FROM {table}"
        f" WHERE {rows} AND {start} >= %({name}_a)s AND {start} < %({name}_b)s"
    )


def _source(columns: str, kind: str) -> str:
    """Return the rows of the span that the filters leave, each with its step and with what it is told apart by."""
    names = ("years", "months_0", "months_1", "days_0", "days_1")
    return f"""
    SELECT date_trunc(%(step)s, start)::date AS step,
        CASE %(by)s WHEN 'assistant' THEN assistant_id WHEN 'model' THEN model_id WHEN 'day' THEN 0 ELSE owner_id END
            AS what, owner_id, {columns}
    FROM ({" UNION ALL ".join(_piece(name, columns, kind) for name in names)}) AS pieces
    WHERE (%(assistant)s::bigint IS NULL OR assistant_id = %(assistant)s)
        AND (%(model)s::bigint IS NULL OR model_id = %(model)s)
        AND (%(person)s::bigint IS NULL OR owner_id = %(person)s)
        AND (%(group)s::bigint IS NULL OR %(group)s = 0
            OR owner_id = ANY(ARRAY(SELECT user_id FROM accounts_user_groups WHERE group_id = %(group)s)))
        AND (%(group)s IS DISTINCT FROM 0 OR owner_id NOT IN (SELECT user_id FROM accounts_user_groups))"""


_IN_GROUPS = "LEFT JOIN accounts_user_groups AS membership ON %(by)s = 'group' AND membership.user_id = {}"
_WROTE = "prompts > 0 AND owner_id <> 0"

SUMS = f"""
WITH cells AS MATERIALIZED (
    SELECT step, what, {_SUMS} FROM ({_source(_COLUMNS, "%(kind)s")}) AS source GROUP BY step, what
), parts AS (
    SELECT CASE %(by)s WHEN 'group' THEN coalesce(membership.group_id, 0) ELSE what END AS what, {_SUMS}
    FROM cells {_IN_GROUPS.format("cells.what")} WHERE %(by)s <> 'day' GROUP BY 1
)
SELECT step, NULL AS what, 0 AS parts, {_SUMS} FROM cells GROUP BY step
UNION ALL
(
    SELECT NULL, what, count(*) OVER (), {_NAMES} FROM parts
    ORDER BY input_tokens + output_tokens DESC, answers DESC, what LIMIT %(most)s
)
"""
"""A row for each step, then one for each assistant, say, the most used first, with how many there are: a person of two
groups is in both."""

PEOPLE = f"""
WITH wrote AS MATERIALIZED (
    SELECT step, owner_id FROM ({_source("prompts", "%(kind_of_people)s")}) AS source
    WHERE {_WROTE} GROUP BY step, owner_id
), wrote_with AS (
    SELECT what, owner_id FROM ({_source("prompts", "'each'")}) AS source
    WHERE %(by)s IN ('assistant', 'model') AND {_WROTE} GROUP BY what, owner_id
)
SELECT step, NULL AS what, count(*) FROM wrote GROUP BY step
UNION ALL
SELECT NULL, what, count(*) FROM wrote_with GROUP BY what
UNION ALL
SELECT NULL, coalesce(membership.group_id, 0), count(DISTINCT owner_id)
FROM wrote {_IN_GROUPS.format("wrote.owner_id")} WHERE %(by)s = 'group' GROUP BY 2
UNION ALL
SELECT NULL, NULL, count(DISTINCT owner_id) FROM wrote
"""
"""How many different people wrote something: in each step, with each assistant, say, and in all."""

EARLIEST = "SELECT min(day) FROM records_usagefact"
