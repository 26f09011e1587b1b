"""`make run`: two commands after a clone there is a working Verbatim, and Ctrl-C leaves nothing behind."""

import os
import re
import signal
import stat
from collections.abc import Callable
from pathlib import Path

import psycopg

from tests.run.launcher import Launcher, wait_until

MakeRun = Callable[..., Launcher]


def administrators(copy: Path) -> list[tuple[object, ...]]:
    with psycopg.connect((copy / "var" / "database.url").read_text().strip()) as connection:
        return connection.execute("SELECT username, password FROM accounts_user WHERE is_superuser").fetchall()


def test_serves_prints_the_sign_in_once_and_ends_whole(make_run: MakeRun, copy: Path) -> None:
    first = make_run().wait_served()
    assert f"http://127.0.0.1:{first.port}" in first.output
    assert re.search(r"Sign in as: admin\nPassword: \S{12,}\n", first.output)
    assert first.get("/healthz")[0] == 200
    assert first.get("/accounts/login/")[0] == 200
    made = administrators(copy)
    first.interrupt()
    first.wait_ended()
    assert first.survivors() == []

    second = make_run().wait_served()
    assert "Password" not in second.output
    assert administrators(copy) == made


def test_state_is_private_and_only_loopback_is_served(make_run: MakeRun, copy: Path) -> None:
    run = make_run().wait_served()
    var = copy / "var"
    assert not stat.S_IMODE(var.stat().st_mode) & (stat.S_IRWXG | stat.S_IROTH | stat.S_IWOTH)
    for name in ("secret_key", "database.url"):
        assert stat.S_IMODE((var / name).stat().st_mode) == 0o600
    for process in run.processes():
        for connection in process.net_connections("inet"):
            assert connection.laddr.ip == "127.0.0.1"


def test_killed_web_worker_and_database_come_back(make_run: MakeRun) -> None:
    run = make_run().wait_served()
    for words in ("gunicorn", "procrastinate", "postgres -D"):
        killed = run.find(words)
        os.kill(killed.pid, signal.SIGKILL)
        wait_until(lambda words=words, killed=killed: run.find(words).pid != killed.pid, 20)
    wait_until(lambda: run.get("/accounts/login/")[0] == 200, 30)


def test_nothing_survives_a_killed_launcher_and_the_next_start_recovers(make_run: MakeRun) -> None:
    run = make_run().wait_served()
    os.kill(run.find("-m chatapp.embedded").pid, signal.SIGKILL)
    run.wait_ended()
    make_run(PORT=str(run.port)).wait_served()
