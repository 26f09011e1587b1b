"""The whole application as it runs: real gunicorn and worker processes on a database of their own."""

from __future__ import annotations

import http.client
import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings

from chatapp.embedded.ports import find_free_port
from tests.system.client import Client

ROOT = Path(__file__).resolve().parents[2]


def wait_for[Value](look: Callable[[], Value], *, seconds: float = 30, what: str = "it", pause: float = 0.05) -> Value:
    """Look again and again, `pause` seconds apart, until there is something to see; fail after `seconds`."""
    give_up_at = time.monotonic() + seconds
    while True:
        value = look()
        if value:
            return value
        if time.monotonic() > give_up_at:
            raise AssertionError(f"{what} did not come about within {seconds} s")
        time.sleep(pause)


@dataclass
class Site:
    """Starts and ends the processes. A process that is killed comes back only when a test starts it again."""

    database_url: str
    openai_url: str
    folder: Path
    extra: dict[str, str] = field(default_factory=dict)
    static: Path | None = None
    """Where collected static files are that sites share; none: the site collects its own."""
    port: int = field(default_factory=find_free_port)
    _processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    _administrator: psycopg.Connection | None = None
    _asking: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        return (
            os.environ
            | {
                "DATABASE_URL": self.database_url,
                "OPENAI_BASE_URL": self.openai_url,
                "OPENAI_API_KEY": "sk-test-canary",
                "VAR_DIR": str(self.folder),
                "STATIC_ROOT": str(self.static or self.folder / "static"),
                "PORT": str(self.port),
                "WEB_CONCURRENCY": "1",
            }
            | self.extra
        )

    def prepare(self) -> None:
        """Migrate the database and make the first rows, as `make run` does."""
        self.manage("migrate", "-v0")
        self.make_rows()
        self.collect_static()

    def make_rows(self) -> None:
        """Make the first rows in a database that is migrated."""
        self.manage("setup")

    def collect_static(self) -> None:
        """Gather the static files in the folder that the site serves them from."""
        self.manage("collectstatic", "--noinput", "-v0")

    def manage(self, *command: str) -> None:
        """Run a management command to its end."""
        subprocess.run(
            [sys.executable, "manage.py", *command],
            cwd=ROOT,
            env=self.environment | {"ADMIN_PASSWORD": "a long pass phrase"},
            check=True,
            stdout=subprocess.DEVNULL,
        )

    def start_web(self, name: str = "web", port: int | None = None) -> str:
        """Start a web process and return its address."""
        port = port or self.port
        self._start(name, ["-m", "gunicorn", "-c", "gunicorn.conf.py"], {"PORT": str(port)})
        wait_for(lambda: _answers(port), what=f"{name} on port {port}")
        return f"http://127.0.0.1:{port}"

    def start_worker(self, name: str = "worker") -> None:
        """Start a worker and wait until it shows a sign of life."""
        newest = "SELECT coalesce(max(id), 0) FROM procrastinate_workers"
        before = self.sql(newest)[0][0]
        self._start(name, ["manage.py", "procrastinate", "worker"], {})
        wait_for(lambda: self.sql(newest)[0][0] > before, what=name)

    def _start(self, name: str, arguments: list[str], more: dict[str, str]) -> None:
        log = (self.folder / f"{name}.log").open("ab")
        self._processes[name] = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=self.environment | more,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        log.close()

    def signal(self, name: str, number: signal.Signals) -> None:
        """Send a signal to a process and, where it is to die at once, to all that it has started."""
        process = self._processes[name]
        if number in (signal.SIGKILL, signal.SIGSTOP, signal.SIGCONT):
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)

    def pid(self, name: str) -> int:
        """Return the id of a process, the first of those it may have started."""
        return self._processes[name].pid

    def is_running(self, name: str) -> bool:
        return name in self._processes and self._processes[name].poll() is None

    def kill(self, name: str) -> None:
        """End a process as `kill -9` does."""
        self.signal(name, signal.SIGKILL)
        self._processes.pop(name).wait()

    def terminate(self, name: str, *, seconds: float = 40) -> float:
        """End a process as a deploy does; return how many seconds it took."""
        began = time.monotonic()
        process = self._processes.pop(name)
        process.terminate()
        process.wait(seconds)
        return time.monotonic() - began

    def stop(self) -> None:
        """End everything that this site started."""
        for name in list(self._processes):
            self.kill(name)
        if self._administrator is not None:
            self._administrator.close()

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def sql(self, query: str, *parameters: object) -> list[Any]:
        """Read or write the site's tables as an administrator with psql would."""
        with self._asking:
            if self._administrator is None or _has_hung_up(self._administrator):
                self._administrator = psycopg.connect(self.database_url, autocommit=True)
            cursor = self._administrator.execute(query, parameters or None)
            return cursor.fetchall() if cursor.description else []

    def sign_in(self, username: str = "admin", *, port: int | None = None) -> Client:
        """Return a client that is signed in as an existing or a new person."""
        # pytest imports this module before Django's apps are loaded.
        from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
        from django.contrib.sessions.backends.db import SessionStore

        from accounts.models import User

        rows = self.sql("SELECT id, password FROM accounts_user WHERE username = %s", username)
        if not rows:
            rows = self.sql(
                "INSERT INTO accounts_user (username, email, password, first_name, last_name, is_active, is_staff,"
                " is_superuser, date_joined) VALUES (%s, %s, %s, '', '', true, false, false, now())"
                " RETURNING id, password",
                username,
                f"{username}@example.org",
                f"!{uuid.uuid4()}",
            )
        person = User(id=rows[0][0], password=rows[0][1])
        key = uuid.uuid4().hex
        data = SessionStore().encode(
            {
                SESSION_KEY: str(person.pk),
                BACKEND_SESSION_KEY: settings.AUTHENTICATION_BACKENDS[0],
                HASH_SESSION_KEY: person.get_session_auth_hash(),
            }
        )
        self.sql("INSERT INTO django_session VALUES (%s, %s, now() + interval '1 day')", key, data)
        return Client(self, key, port or self.port)

    def message(self, message_id: str) -> dict[str, Any]:
        """Return the row of a message, with its text so far."""
        rows = self.sql(
            "SELECT status, text, activity, error_code, attempt, "
            "(SELECT string_agg(text, '' ORDER BY start) FROM conversations_messagechunk WHERE message_id = m.id) "
            "FROM conversations_message AS m WHERE id = %s",
            message_id,
        )
        status, text, activity, error_code, attempt, live = rows[0]
        return {
            "status": status,
            "text": text or live or "",
            "activity": activity,
            "error_code": error_code,
            "attempt": attempt,
        }

    def wait_until_ended(self, message_id: str, *, seconds: float = 30) -> dict[str, Any]:
        """Wait for the end of an answer and return its row."""

        def ended() -> dict[str, Any]:
            row = self.message(message_id)
            return {} if row["status"] in ("queued", "streaming") else row

        return wait_for(ended, seconds=seconds, what="the end of the answer")

    def wait_for_text(self, message_id: str, characters: int = 1, *, seconds: float = 30) -> str:
        """Wait until a running answer has some text saved and return it."""

        def text() -> str:
            found = str(self.message(message_id)["text"])
            return found if len(found) >= characters else ""

        return wait_for(text, seconds=seconds, what=f"{characters} characters of text")


def _has_hung_up(connection: psycopg.Connection) -> bool:
    """Whether the server has ended a connection; it says nothing else to one that asks nothing."""
    return connection.closed or bool(select.select([connection], [], [], 0)[0])


def _answers(port: int) -> bool:
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except OSError:
        return False


def marker(**scenario: object) -> str:
    """Return the text in a prompt that tells the fake OpenAI how to answer it."""
    return f"[[fake: {json.dumps(scenario)}]]"
