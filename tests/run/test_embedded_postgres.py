"""The embedded PostgreSQL: what it offers, to whom, and that it comes back from every end."""

import os
import signal
import stat
from pathlib import Path

import psycopg
import pytest

from chatapp.embedded.postgres import Cluster, PostgresError, find_postmaster


def test_role_owns_its_database_and_is_no_superuser(cluster: Cluster) -> None:
    cluster.start()
    with psycopg.connect(cluster.url) as connection:
        row = connection.execute(
            "SELECT usesuper, current_database() FROM pg_user WHERE usename = current_user"
        ).fetchone()
        assert row == (False, "verbatim")
        connection.execute("CREATE TABLE kept (word text)")


def test_nobody_gets_in_without_the_password(cluster: Cluster) -> None:
    cluster.start()
    for user in ("verbatim", "postgres"):
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(f"postgres://{user}@127.0.0.1:{cluster.port}/verbatim", connect_timeout=5)


def test_text_is_utf8_and_full_text_search_knows_other_alphabets(cluster: Cluster) -> None:
    cluster.start()
    with psycopg.connect(cluster.url) as connection:
        assert connection.execute("SHOW server_encoding").fetchone() == ("UTF8",)
        assert connection.execute("SELECT lower('ÄЖ'), to_tsvector('simple', 'ÄЖ')::text").fetchone() == (
            "äж",
            "'äж':1",
        )


def test_only_the_owner_reads_the_password(cluster: Cluster) -> None:
    assert stat.S_IMODE(cluster.url_file.stat().st_mode) == 0o600
    assert stat.S_IMODE(cluster.data.stat().st_mode) == 0o700


@pytest.mark.parametrize("mode", ["fast", "immediate", "kill"])
def test_committed_rows_survive_every_kind_of_stop(cluster: Cluster, mode: str) -> None:
    cluster.start()
    url = cluster.url
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 'word' AS word")
    cluster.stop(mode)  # type: ignore[arg-type]
    cluster.start()
    assert cluster.url == url
    with psycopg.connect(url) as connection:
        assert connection.execute("TABLE kept").fetchone() == ("word",)


def test_a_server_left_by_a_killed_run_is_found_and_ended(cluster: Cluster) -> None:
    cluster.start()
    orphan = find_postmaster(cluster.data)
    again = Cluster(cluster.directory)
    again.initialise()
    again.start()
    assert find_postmaster(cluster.data) not in (None, orphan)


def test_a_pid_file_whose_number_another_program_got_is_no_obstacle(cluster: Cluster) -> None:
    cluster.start()
    cluster.stop("kill")
    file = cluster.data / "postmaster.pid"
    file.write_text("\n".join([str(os.getpid()), *file.read_text().splitlines()[1:]]))
    cluster.stop()
    cluster.start()


def test_a_lost_address_is_made_again_for_the_same_data(cluster: Cluster) -> None:
    cluster.start()
    with psycopg.connect(cluster.url) as connection:
        connection.execute("CREATE TABLE kept (word text)")
    cluster.url_file.unlink()
    again = Cluster(cluster.directory)
    again.start()
    with psycopg.connect(again.url) as connection:
        assert connection.execute("TABLE kept").fetchall() == []


def test_folder_names_with_spaces_and_quotes_work(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path / "it's a folder" / 'with "quotes"')
    cluster.start()
    cluster.stop()


def test_data_of_another_major_version_is_refused_with_a_sentence(cluster: Cluster) -> None:
    (cluster.data / "PG_VERSION").write_text("15\n")
    with pytest.raises(PostgresError, match="was made by PostgreSQL 15"):
        cluster.initialise()


def test_stopping_twice_is_nothing(cluster: Cluster) -> None:
    cluster.start()
    pid = find_postmaster(cluster.data)
    assert pid is not None
    os.kill(pid, signal.SIGINT)
    cluster.stop()
    cluster.stop()
