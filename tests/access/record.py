"""The state of the whole database as one value, to tell whether a request changed anything."""

from __future__ import annotations

import functools

from django.db import connection

AUDIT = "audit_auditevent"
# Written legitimately by any request: sessions, the counts of throttles and of the running minute, the minute in which
# a token was last used.
_PASSING = {"django_session", "cache", "rest_allowance"}
_ROW = {"accounts_token": "(to_jsonb(t) - 'last_used_at')"}


@functools.cache
def _tables() -> tuple[str, ...]:
    return tuple(sorted(set(connection.introspection.table_names()) - _PASSING))


def snapshot() -> dict[str, tuple[int, str]]:
    """Return the number of rows and a hash of all of them, for each table."""
    hashes = " UNION ALL ".join(
        f"SELECT '{table}', count(*), coalesce(md5(string_agg(t::text, '|' ORDER BY t::text)), '')"
        f' FROM (SELECT {_ROW.get(table, "t")} FROM "{table}" t) AS rows (t)'
        for table in _tables()
    )
    with connection.cursor() as cursor:
        cursor.execute(hashes)
        return {table: (count, digest) for table, count, digest in cursor.fetchall()}


def changed_tables(before: dict[str, tuple[int, str]], after: dict[str, tuple[int, str]]) -> list[str]:
    """Return the tables whose rows differ."""
    return sorted(table for table in before.keys() | after.keys() if before.get(table) != after.get(table))
