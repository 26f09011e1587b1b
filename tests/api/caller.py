"""Programs that talk to the API in this process, each with a token of its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.test import Client

from accounts.access import Scope
from accounts.models import User
from accounts.tokens import make_token

BASE = "/api/v1/"


class Caller:
    """A client with a token. Addresses are those below /api/v1/, or whole ones."""

    def __init__(self, user: User, scopes: Iterable[Scope] = (Scope.READ, Scope.WRITE)) -> None:
        self.user = user
        self.token, self.secret = make_token(owner=user, name="A program", scopes=scopes, created_by=user)
        self._client = Client(headers={"Authorization": f"Bearer {self.secret}"})

    def ask(
        self, method: str, address: str, data: Any = None, *, headers: Mapping[str, str] | None = None, **options: Any
    ) -> Any:
        """Send one request and return the response."""
        address = address if address.startswith(("/", "http")) else BASE + address
        content = {} if data is None else {"data": data, "content_type": "application/json"}
        return (
            self._client.generic(method, address, headers=headers, **options)
            if data is None
            else getattr(self._client, method.lower())(address, headers=headers, **content, **options)
        )

    def get(self, address: str, **options: Any) -> Any:
        """Read something."""
        return self._client.get(address if address.startswith(("/", "http")) else BASE + address, **options)

    def read(self, address: str) -> Any:
        """Return the JSON of a resource that is there."""
        response = self.get(address)
        assert response.status_code == 200, response.content
        return response.json()

    def ids(self, address: str) -> list[str]:
        """Return the ids of a page."""
        return [row["id"] for row in self.read(address)["results"]]

    def upload(self, file: Any, **options: Any) -> Any:
        """Send a form with one file."""
        return self._client.post(f"{BASE}attachments/", {"file": file}, **options)


def every_page(caller: Caller, address: str) -> list[dict[str, Any]]:
    """Return the rows of all pages of a list."""
    rows: list[dict[str, Any]] = []
    at: str | None = address
    while at:
        page = caller.read(at)
        rows += page["results"]
        at = page["next"]
    return rows
