"""How the database is emptied after a test that commits: what Django's `flush` does, at a tenth of its price.

Few tables hold anything then, and to TRUNCATE them all makes hundreds of files anew. Content types and permissions,
which `flush` would make again, stay when they are what they were.
"""

from typing import Any, cast

from django.core.management import call_command
from django.db import connections, transaction
from django.test import TransactionTestCase
from psycopg import sql

_MADE_BY_DJANGO = ("django_content_type", "auth_permission")
_REFUSES_DELETE = "audit_auditevent"


def empty_cheaply() -> None:
    """From now on have tests that commit leave an empty database by `Emptying`. Call it when the database is there."""
    emptying = Emptying()
    cast(Any, TransactionTestCase)._fixture_teardown = lambda test: emptying.empty()


class Emptying:
    """What the database of this process is emptied by, and what stood in it at the start."""

    def __init__(self) -> None:
        names = connections["default"].introspection.django_table_names(only_existing=True, include_views=False)
        self._tables = [name for name in names if name not in _MADE_BY_DJANGO]
        self._filled = sql.SQL(" UNION ALL ").join(
            sql.SQL("SELECT {} WHERE EXISTS (SELECT FROM {})").format(sql.Literal(name), sql.Identifier(name))
            for name in self._tables
        )
        self._made_by_django = self._read()

    def empty(self) -> None:
        """Remove all rows; whoever still writes is waited for, as TRUNCATE would."""
        if self._read() != self._made_by_django:
            call_command("flush", verbosity=0, interactive=False, reset_sequences=False)
            self._made_by_django = self._read()
            return
        with transaction.atomic(), connections["default"].cursor() as cursor:
            cursor.execute(sql.SQL("LOCK TABLE {}").format(_listed(self._tables)))
            while filled := self._find_filled(cursor):  # triggers may fill a table while others are emptied
                for name in filled:
                    remove = "TRUNCATE {}" if name == _REFUSES_DELETE else "DELETE FROM {}"
                    cursor.execute(sql.SQL(remove).format(sql.Identifier(name)))

    def _find_filled(self, cursor: Any) -> list[str]:
        cursor.execute(self._filled)
        return [name for (name,) in cursor.fetchall()]

    def _read(self) -> list[Any]:
        with connections["default"].cursor() as cursor:
            rows = []
            for name in _MADE_BY_DJANGO:
                cursor.execute(sql.SQL("SELECT * FROM {} ORDER BY id").format(sql.Identifier(name)))
                rows.append(cursor.fetchall())
        return rows


def _listed(names: list[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, names))
