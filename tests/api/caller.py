"""Programs that talk to the API in this process, each with a token of its own."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from django.contrib.auth.models import Permission
from django.test import AsyncClient, Client
from django.test.utils import CaptureQueriesContext

from accounts.access import Scope
from accounts.models import User
from accounts.tokens import make_token
from tests.factories import make_user
from tests.pages.asked import read, with_client

BASE = "/api/v1/"


class Caller:
    """A client with a token. Addresses are those below /api/v1/, or whole ones."""

    def __init__(self, user: User, scopes: Iterable[Scope] = (Scope.READ, Scope.WRITE)) -> None:
        self.user = user
        self.token, self.secret = make_token(owner=user, name="A program", scopes=scopes, created_by=user)
        self._client = Client(headers={"Authorization": f"Bearer {self.secret}"})

    def ask(self, method: str, address: str, data: Any = None, **headers: str) -> Any:
        """Send a request, with a body of JSON where there is `data`, and return the response."""
        body = "" if data is None else json.dumps(data)
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return self._client.generic(method, _whole(address), body, "application/json", headers=names)

    def get(self, address: str, **options: Any) -> Any:
        """Read something."""
        return self._client.get(_whole(address), **options)

    def read(self, address: str) -> Any:
        """Return the JSON of a resource that is there."""
        response = self.get(address)
        assert response.status_code == 200, response.content
        return response.json()

    def ids(self, address: str) -> list[str]:
        """Return the ids of a page."""
        return [row["id"] for row in self.read(address)["results"]]

    def bytes_of(self, address: str, method: str = "get", **headers: str) -> Any:
        """Ask as a server with asyncio does, and read all of the answer into its `body`."""
        names = {name.replace("_", "-"): value for name, value in headers.items()}

        async def ask(client: AsyncClient) -> Any:
            names["Authorization"] = f"Bearer {self.secret}"
            return await read(await getattr(client, method)(_whole(address), headers=names))

        return with_client(None, ask)

    def upload(self, file: Any, **options: Any) -> Any:
        """Send a form with one file."""
        return self.form({"file": file}, **options)

    def form(self, data: Any, **options: Any) -> Any:
        """Send a form to where files are uploaded."""
        return self._client.post(f"{BASE}attachments/", data, **options)


def _whole(address: str) -> str:
    return address if address.startswith(("/", "http")) else BASE + address


def every_page(caller: Caller, address: str) -> list[dict[str, Any]]:
    """Return the rows of all pages of a list."""
    rows: list[dict[str, Any]] = []
    at: str | None = address
    while at:
        page = caller.read(at)
        rows += page["results"]
        at = page["next"]
    return rows


def make_reviewer() -> Caller:
    """A program of somebody who may review conversations, with the scope to read all."""
    person = make_user(username="rita")
    person.user_permissions.add(Permission.objects.get(codename="review_conversation"))
    return Caller(person, [Scope.READ, Scope.READ_ALL])


def counted(queries: CaptureQueriesContext) -> int:
    """Count queries, without the one that notes the minute of the token's use when a new one has begun."""
    return sum(not query["sql"].startswith('UPDATE "accounts_token"') for query in queries.captured_queries)
