"""A connection of the pool is looked at before its use, mostly without asking the server."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.conf import settings
from procrastinate.contrib.django.utils import connector_params
from psycopg_pool import ConnectionPool

from chatapp import pool
from tests.services.calls import sql

pytestmark = pytest.mark.django_db
MARK = "SELECT 'the last statement'"


@pytest.fixture
def pooled(db: None) -> Iterator[psycopg.Connection]:
    """A connection as the pool would hand it out, which has just carried out a statement."""
    with psycopg.connect(**connector_params(), autocommit=True) as one:
        one.execute(MARK)
        yield one


def last_statement(one: psycopg.Connection) -> str:
    sql("SELECT pg_stat_clear_snapshot()")
    found: str = sql("SELECT query FROM pg_stat_activity WHERE pid = %s", one.info.backend_pid)[0][0]
    return found


def test_the_server_is_asked_once_and_then_for_a_while_no_more(pooled: psycopg.Connection) -> None:
    pool.check(pooled)
    assert last_statement(pooled) != MARK
    pooled.execute(MARK)
    pool.check(pooled)
    assert last_statement(pooled) == MARK


def test_d1_a_connection_that_the_server_ended_is_found_however_short_ago_it_was_good(
    pooled: psycopg.Connection,
) -> None:
    pool.check(pooled)
    sql("SELECT pg_terminate_backend(%s, 30000)", pooled.info.backend_pid)
    with pytest.raises(psycopg.OperationalError):
        pool.check(pooled)


def test_django_s_pool_looks_in_this_way() -> None:
    database: Any = settings.DATABASES["default"]
    options = database["OPTIONS"]["pool"]
    assert options["check"] is pool.check
    assert ConnectionPool(open=False, **options)
