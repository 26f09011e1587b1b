"""Databases of tests are removed whatever still goes on in them."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from chatapp.embedded.postgres import Cluster
from tests.prepared import address, copy, drop
from tests.system.site import wait_for

_BUSY = "autovacuum_naptime = 1\nautovacuum_vacuum_cost_delay = 50\nautovacuum_vacuum_cost_limit = 1\n"
_OTHERS = "SELECT count(*) FROM pg_stat_activity WHERE datname = 'left' AND usename IS DISTINCT FROM current_user"


@pytest.fixture
def busy(tmp_path: Path) -> Iterator[Cluster]:
    """A server whose autovacuum comes at once and takes its time."""
    cluster = Cluster(tmp_path / "busy", durable=False, can_create_databases=True)
    cluster.start()
    cluster.stop()
    with (cluster.data / "postgresql.auto.conf").open("a") as settings:
        settings.write(_BUSY)
    cluster.start()
    yield cluster
    cluster.stop("immediate")


@pytest.mark.slow
def test_a_database_is_dropped_under_sessions_and_under_the_servers_own_cleaning(busy: Cluster) -> None:
    with psycopg.connect(busy.url, autocommit=True) as connection:
        copy(connection, "left", template="template1")
        with psycopg.connect(address(busy.url, "left"), autocommit=True) as session:
            session.execute("CREATE TABLE filled AS SELECT number FROM generate_series(1, 100000) AS number")
            session.execute("UPDATE filled SET number = number + 1")
            wait_for(lambda: connection.execute(_OTHERS).fetchone() != (0,), what="autovacuum")
            drop(connection, "left")
            with pytest.raises(psycopg.OperationalError):
                session.execute("SELECT 1")
        assert connection.execute("SELECT FROM pg_database WHERE datname = 'left'").fetchone() is None
