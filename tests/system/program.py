"""What asks the running application over its API, with a token."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import json
import secrets
import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.system.site import Site, marker

START = "/api/v1/conversations/"


@dataclass
class Program:
    """A program of one person. It asks whichever web process it is told, by its port."""

    site: Site
    secret: str

    @classmethod
    def of(cls, site: Site, username: str = "admin") -> Program:
        """Return a program of an existing or a new person, with a token that may read and write."""
        site.sign_in(username)
        secret = f"vbt_{secrets.token_urlsafe(32)}"
        site.sql(
            "INSERT INTO accounts_token (id, owner_id, kind, name, scopes, prefix, digest, created_at)"
            " SELECT %s, id, 'personal', 'A program', '{read,write}', %s, %s, now() FROM accounts_user"
            " WHERE username = %s",
            uuid.uuid4(),
            secret[:8],
            hashlib.sha256(secret.encode()).hexdigest(),
            username,
        )
        return cls(site, secret)

    def ask(
        self, method: str, path: str, body: Any = None, *, port: int | None = None, timeout: float = 60, **headers: str
    ) -> tuple[int, Any, dict[str, str]]:
        """Return status, JSON and headers (names in small letters). Header names have underscores for hyphens."""
        with _Connection(port or self.site.port, timeout) as connection:
            response = self._send(connection, method, path, body, headers)
            text = response.read()
            found = {name.lower(): value for name, value in response.getheaders()}
            return response.status, json.loads(text) if text else None, found

    def stream(
        self, method: str, path: str, body: Any = None, *, port: int | None = None, **headers: str
    ) -> Iterator[dict[str, str]]:
        """Yield events as dicts with event, data and id, until the stream ends in whatever way."""
        with _Connection(port or self.site.port) as connection:
            response = self._send(connection, method, path, body, {"Accept": "text/event-stream"} | headers)
            assert response.status == 200, response.read()
            event: dict[str, str] = {}
            while line := _line_of(response):
                if line == "\n" and "data" in event:
                    yield event
                    event = {}
                elif not line.startswith((":", "\n")):
                    name, _, value = line.rstrip("\n").partition(": ")
                    event[name] = value

    def _send(
        self, connection: http.client.HTTPConnection, method: str, path: str, body: Any, headers: dict[str, str]
    ) -> http.client.HTTPResponse:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        given |= {"Authorization": f"Bearer {self.secret}", "Content-Type": "application/json"}
        connection.request(method, path, None if body is None else json.dumps(body), given)
        return connection.getresponse()


def slow(name: str, seconds: float) -> tuple[dict[str, str], str]:
    """Return a prompt whose answer takes so long, and the text of that answer."""
    text = " ".join(f"{name}-{number} ü😀" for number in range(150))
    return {"text": f"{name} " + marker(text=text, delay_ms=seconds * 1000 / 150)}, text


class Reader(threading.Thread):
    """Reads a stream in the background, and puts its text together."""

    def __init__(self, events: Iterator[dict[str, str]], text: str = "") -> None:
        super().__init__(daemon=True)
        self.events, self.text, self.last_id = events, text, "0"
        self.completed: dict[str, Any] = {}
        """The last event's message; empty where the stream ended without it."""
        self.start()

    def run(self) -> None:
        for event in self.events:
            data: Any = json.loads(event["data"])
            if event["event"] == "text":
                assert data["start"] == len(self.text)
                self.text += data["text"]
                self.last_id = event["id"]
            elif event["event"] == "completed":
                self.completed = data


class Asker(threading.Thread):
    """Sends a request in the background."""

    def __init__(self, program: Program, *arguments: Any, **headers: Any) -> None:
        super().__init__(daemon=True)
        self.program, self.arguments, self.headers = program, arguments, headers
        self.answer: tuple[int, Any, dict[str, str]] | None = None
        """What came back; None where the connection was cut."""
        self.start()

    def run(self) -> None:
        with contextlib.suppress(OSError, http.client.HTTPException):
            self.answer = self.program.ask(*self.arguments, **self.headers)


class _Connection(http.client.HTTPConnection):
    def __init__(self, port: int, timeout: float = 60) -> None:
        super().__init__("127.0.0.1", port, timeout=timeout)

    def __enter__(self) -> _Connection:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def _line_of(response: http.client.HTTPResponse) -> str:
    """Return the next line; nothing where the connection was cut."""
    try:
        return response.readline().decode()
    except (OSError, http.client.HTTPException):
        return ""
