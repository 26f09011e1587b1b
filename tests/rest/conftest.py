"""A person, a token of theirs, and a program that uses it against the API of site.py."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pytest
from django.test import AsyncClient, Client
from pytest_django import Settings

NOTE = "/api/v1/note/"


class Program:
    """Sends requests with a token, and keeps nothing between them."""

    def __init__(self, secret: str) -> None:
        self.headers = {"Authorization": f"Bearer {secret}"}
        self.client = Client(raise_request_exception=False)
        self.in_async = AsyncClient(raise_request_exception=False)

    def ask(self, method: str, address: str, body: Any = None, **headers: str) -> Any:
        """Send one request; a `body` that is no bytes is written as JSON."""
        return self.client.generic(method, address, *self._sent(body), headers=self._named(headers))

    async def ask_async(self, method: str, address: str, body: Any = None, **headers: str) -> Any:
        """Send it to the same views as the ASGI server does."""
        return await self.in_async.generic(method, address, *self._sent(body), headers=self._named(headers))

    def _named(self, headers: dict[str, str]) -> dict[str, str]:
        return self.headers | {name.replace("_", "-"): value for name, value in headers.items()}

    @staticmethod
    def _sent(body: Any) -> tuple[bytes, str]:
        if isinstance(body, bytes):
            return body, "application/json"
        return (b"" if body is None else json.dumps(body).encode()), "application/json"


def program_of(owner: Any = None, scopes: Iterable[str] = ("read", "write")) -> Program:
    from accounts.tokens import make_token
    from tests.factories import make_user

    return Program(make_token(owner=owner or make_user(), name="A program", scopes=scopes)[1])


@pytest.fixture(autouse=True)
def _own_site(settings: Settings) -> None:
    from tests.rest import site

    settings.ROOT_URLCONF = "tests.rest.site"
    site.carried_out.clear()
    site.gates.clear()


@pytest.fixture
def program(db: None) -> Program:
    return program_of()


def problem(response: Any) -> tuple[int, str]:
    """Return status and code of a problem, which must be a whole one."""
    assert response["Content-Type"] == "application/problem+json", response.content
    body = response.json()
    assert set(body) == {"type", "title", "status", "detail", "code", "errors"}
    assert body["type"] == f"urn:verbatim:problem:{body['code']}"
    assert body["status"] == response.status_code
    assert body["detail"]
    return response.status_code, body["code"]
