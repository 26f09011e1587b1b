"""`make run`: one command after a clone there is a working Verbatim, and Ctrl-C leaves nothing behind."""

import contextlib
import os
import re
import signal
import stat
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from tests.run.launcher import Launcher, wait_until


@pytest.fixture
def run(first_start: Launcher) -> Iterator[Launcher]:
    """The module's `make run`, served before and after each test."""
    yield first_start
    if first_start.has_ended:
        first_start.start().wait_served()


def list_administrators(copy: Path) -> list[tuple[object, ...]]:
    with psycopg.connect((copy / "var" / "database.url").read_text().strip()) as connection:
        return connection.execute("SELECT username, password FROM accounts_user WHERE is_superuser").fetchall()


def test_it_is_served_where_it_says(run: Launcher) -> None:
    assert f"http://127.0.0.1:{run.port}\n" in run.output
    assert run.get("/healthz")[0] == 200
    assert run.get("/accounts/login/")[0] == 200


def test_the_first_start_alone_prints_the_sign_in_and_ctrl_c_ends_everything(run: Launcher, copy: Path) -> None:
    assert re.search(r"Sign in as: admin\nPassword: \S{12,}\n", run.first_output)
    made = list_administrators(copy)
    assert len(made) == 1
    run.interrupt()
    run.wait_ended()
    assert run.survivors() == []
    run.start().wait_served()
    assert "Password" not in run.output
    assert list_administrators(copy) == made
    with psycopg.connect((copy / "var" / "database.url").read_text().strip()) as connection:
        settings = connection.execute("SELECT * FROM audit_auditevent WHERE kind = 'setting.changed'").fetchall()
    assert settings == []  # ports of its own are chosen anew, and nobody changed anything


@pytest.mark.parametrize("statement", ["UPDATE {} SET reason = ''", "DELETE FROM {}", "TRUNCATE {}"])
def test_v2_the_role_of_the_application_changes_nothing_in_the_audit(run: Launcher, copy: Path, statement: str) -> None:
    with psycopg.connect((copy / "var" / "database.url").read_text().strip()) as connection:
        assert connection.execute("SELECT count(*) > 0 FROM audit_auditevent").fetchone() == (True,)
        role = connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()
        assert role == (False,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="only ever added"):
            connection.execute(statement.format("audit_auditevent"))


def test_state_is_private_and_only_loopback_is_served(run: Launcher, copy: Path) -> None:
    var = copy / "var"
    assert not stat.S_IMODE(var.stat().st_mode) & (stat.S_IRWXG | stat.S_IROTH | stat.S_IWOTH)
    for name in ("secret_key", "database.url"):
        assert stat.S_IMODE((var / name).stat().st_mode) == 0o600
    for process in run.processes():
        with contextlib.suppress(psutil.NoSuchProcess):  # one of PostgreSQL's, which come and go
            for connection in process.net_connections("inet"):
                assert connection.laddr.ip == "127.0.0.1"


def test_a_second_start_in_the_same_folder_is_refused(run: Launcher, copy: Path) -> None:
    assert "already runs" in Launcher(copy, log="second.txt").start().refusal()


@pytest.mark.parametrize("words", ["gunicorn", "procrastinate", "postgres -D"])
def test_a_killed_program_comes_back(run: Launcher, words: str) -> None:
    killed = run.find(words)
    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: run.find(words) not in (killed, 0), 20)
    wait_until(lambda: run.get("/accounts/login/")[0] == 200, 30)


@pytest.mark.slow
def test_nothing_survives_a_killed_launcher_and_the_next_start_recovers(run: Launcher) -> None:
    os.kill(run.find("-m chatapp.embedded"), signal.SIGKILL)
    run.wait_ended()
    run.start().wait_served()
