"""The embedded PostgreSQL: what it offers, to whom, and that it comes back from every end."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import psycopg
import pytest

from chatapp.embedded.postgres import Cluster, PostgresError
from chatapp.embedded.postmaster import find_postmaster


@pytest.fixture
def cluster(own_cluster: Cluster) -> Iterator[Cluster]:
    """The module's server, running before and after each test."""
    yield own_cluster
    if find_postmaster(own_cluster.data) is None:
        own_cluster.start()


def keep_a_word(cluster: Cluster, word: str) -> None:
    with psycopg.connect(cluster.url) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (word text)")
        connection.execute("INSERT INTO kept VALUES (%s)", [word])


def is_kept(cluster: Cluster, word: str) -> bool:
    with psycopg.connect(cluster.url) as connection:
        return connection.execute("SELECT 1 FROM kept WHERE word = %s", [word]).fetchone() is not None


def test_role_owns_its_database_and_is_no_superuser(cluster: Cluster) -> None:
    query = "SELECT usesuper, current_database() FROM pg_user WHERE usename = current_user"
    with psycopg.connect(cluster.url) as connection:
        assert connection.execute(query).fetchone() == (False, "verbatim")
    keep_a_word(cluster, "owner")


@pytest.mark.parametrize("user", ["verbatim", "postgres"])
def test_nobody_gets_in_without_the_password(cluster: Cluster, user: str) -> None:
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(f"postgres://{user}@127.0.0.1:{cluster.port}/verbatim", connect_timeout=5)


def test_text_is_utf8_and_search_knows_other_alphabets(cluster: Cluster) -> None:
    with psycopg.connect(cluster.url) as connection:
        assert connection.execute("SHOW server_encoding").fetchone() == ("UTF8",)
        row = connection.execute("SELECT lower('ÄЖ'), to_tsvector('simple', 'ÄЖ')::text").fetchone()
        assert row == ("äж", "'äж':1")


def test_only_the_owner_reads_password_and_data(cluster: Cluster) -> None:
    assert stat.S_IMODE(cluster.url_file.stat().st_mode) == 0o600
    assert stat.S_IMODE(cluster.data.stat().st_mode) == 0o700


@pytest.mark.parametrize("mode", ["fast", "immediate", "kill"])
def test_committed_rows_survive_every_kind_of_stop(
    cluster: Cluster, mode: Literal["fast", "immediate", "kill"]
) -> None:
    url = cluster.url
    keep_a_word(cluster, mode)
    cluster.stop(mode)
    cluster.start()
    assert cluster.url == url
    assert is_kept(cluster, mode)


def test_a_server_left_by_a_killed_run_is_found_and_ended(cluster: Cluster) -> None:
    again = Cluster(cluster.directory)
    again.initialise()
    assert find_postmaster(cluster.data) is None
    again.start()


def test_a_pid_file_whose_number_another_program_got_is_no_obstacle(cluster: Cluster) -> None:
    cluster.stop("kill")
    file = cluster.data / "postmaster.pid"
    file.write_text("\n".join([str(os.getpid()), *file.read_text().splitlines()[1:]]))
    cluster.stop()
    cluster.start()


def test_a_lost_address_is_made_again_for_the_same_data(cluster: Cluster) -> None:
    keep_a_word(cluster, "found again")
    cluster.url_file.unlink()
    cluster.initialise()
    cluster.start()
    assert is_kept(cluster, "found again")


def test_data_of_another_major_version_is_refused_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "PG_VERSION").write_text("15\n")
    with pytest.raises(PostgresError, match="was made by PostgreSQL 15"):
        Cluster(tmp_path).initialise()


def test_stopping_twice_is_nothing(cluster: Cluster) -> None:
    cluster.stop()
    cluster.stop()
