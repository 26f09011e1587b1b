"""What asks the running application over its API, with a token."""

from __future__ import annotations

import hashlib
import http.client
import json
import secrets
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.system.site import Site


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
