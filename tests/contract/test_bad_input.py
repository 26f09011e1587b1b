"""Whatever is wrong with a request, of any operation: 4xx with a problem, nothing is written, no model is called."""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from accounts.models import Token
from accounts.tokens import make_token, revoke_token
from tests.access.record import changed_tables, snapshot
from tests.access.routes import all_routes, fill
from tests.access.world import World, make_world
from tests.contract.operations import METHODS, Operation, as_json, documented
from tests.contract.spoiled import bodies, queries, with_nulls

pytestmark = [
    pytest.mark.django_db(transaction=True),  # streams and files give their database connection back
    pytest.mark.timeout(120),
    pytest.mark.slow,
]


@dataclass
class Office:
    """The world of the access tests, with tokens of its people."""

    world: World
    secrets: dict[str, str] = field(default_factory=dict)
    complaints: list[str] = field(default_factory=list)
    client: Client = field(default_factory=lambda: Client(raise_request_exception=False))

    def address(self, operation: Operation) -> str:
        pattern = all_routes()[operation.route]
        if operation.is_openai:
            return fill(pattern, {"name": "gpt-4o", "pk": f"resp_{self.world.belongings.ended.pk.hex}"})
        return self.world.address(operation.route, pattern)

    def ask(
        self,
        operation: Operation,
        what: str,
        statuses: tuple[int, ...],
        *,
        token: str = "owner",
        query: str = "",
        body: bytes | None = None,
        kind: str = "application/json",
        address: str = "",
        method: str = "",
        **headers: str,
    ) -> None:
        """Send one request and remember what is not as it must be."""
        address = (address or self.address(operation)) + (f"?{query}" if query else "")
        sent = (as_json(operation.example) if operation.takes_json else b"") if body is None else body
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if token in self.secrets:
            named.setdefault("Authorization", f"Bearer {self.secrets[token]}")
        method = (method or operation.method).upper()
        response = self.client.generic(method, address, sent, kind, headers=named)
        if response.status_code not in statuses or not _is_problem(response):
            shown = b"(a stream)" if response.streaming else response.content[:300]
            self.complaints.append(f"{operation}, {what}: {response.status_code} {shown!r}")
            if response.streaming:
                response.close()


def _is_problem(response: Any) -> bool:
    if response.streaming:
        return False
    if response.request["REQUEST_METHOD"] == "HEAD":
        return True
    body = json.loads(response.content)
    if response["Content-Type"] == "application/problem+json":
        return bool(body["code"] and body["detail"] and body["status"] == response.status_code)
    return bool(body["error"]["message"])  # the door that speaks OpenAI's language


@pytest.fixture
def office(caplog: pytest.LogCaptureFixture, settings: Any) -> Office:
    """The world, with tokens."""
    for name in ("django.request", "django.security"):  # thousands of refusals are meant here
        caplog.set_level(logging.CRITICAL, name)
    settings.API_REQUESTS_PER_MINUTE = settings.API_ANSWERS_PER_MINUTE = 1_000_000
    office = Office(make_world())
    owner = office.world.people["owner"]
    for name, scopes in (
        ("owner", ["read", "write", "events"]), ("read", ["read"]), ("write", ["write"]), ("events", ["events"]),
        ("revoked", ["read", "write", "events"]), ("expired", ["read", "write", "events"]),
    ):  # fmt: skip
        token, office.secrets[name] = make_token(owner=owner, name=name, scopes=scopes)
        if name == "revoked":
            revoke_token(token=token, by=owner)
        if name == "expired":
            past = timezone.now() - timedelta(days=2)
            Token.objects.filter(pk=token.pk).update(created_at=past, expires_at=past + timedelta(days=1))
    for role in ("stranger", "deactivated"):
        person = office.world.people[role]
        person.is_active = True
        person.save(update_fields=["is_active"])
        office.secrets[role] = make_token(owner=person, name=role, scopes=["read", "write", "events"])[1]
    person = office.world.people["deactivated"]
    person.is_active = False
    person.save(update_fields=["is_active"])
    Token.objects.update(last_used_at=timezone.now() + timedelta(hours=1))  # so that no use is noted
    return office


def every(check: Callable[[Office, Operation], None]) -> Callable[[Office], None]:
    """Make a test of what is to be tried with every operation."""

    def walk(office: Office) -> None:
        before = snapshot()
        for operation in documented():
            check(office, operation)
        assert office.complaints == []
        assert changed_tables(before, snapshot()) == []

    walk.__name__ = check.__name__
    walk.__doc__ = check.__doc__
    return walk


@every
def test_a8_a_token_that_does_not_let_in_is_refused(office: Office, operation: Operation) -> None:
    office.ask(operation, "no token", (401,), token="")
    office.ask(operation, "nonsense", (401,), token="", Authorization="Bearer nonsense")
    office.ask(operation, "half a token", (401,), token="", Authorization=f"Bearer {office.secrets['owner'][:-1]}")
    office.ask(operation, "Basic", (401,), token="", Authorization=f"Basic {office.secrets['owner']}")
    office.ask(operation, "another header", (401,), token="", X_API_Key=office.secrets["owner"])
    for token in ("revoked", "expired", "deactivated"):
        office.ask(operation, token, (401,), token=token)
    for name in ("token", "access_token", "api_key"):
        office.ask(operation, "in the address", (401,), token="", query=f"{name}={office.secrets['owner']}")
        office.ask(operation, "in the address, too", (401,), query=f"{name}={office.secrets['owner']}")
    for token in {"read", "write", "events"} - {operation.scope}:
        office.ask(operation, f"the scope {token}", (403,), token=token)


@every
def test_a1_i7_what_is_not_there_and_what_is_somebody_else_s_are_the_same(office: Office, operation: Operation) -> None:
    if "<" not in operation.pattern:
        return
    if "<uuid:" in operation.pattern or "<str:pk>" in operation.pattern:
        office.ask(operation, "a stranger", (404,), token="stranger")
    for value in (uuid.uuid4(), "x", "00000000-0000-0000-0000-000000000000", "%F0%9F%92%A9", "a" * 3000):
        head, _, tail = all_routes()[operation.route].partition("<")
        address = f"/{head}{value}{tail.partition('>')[2]}"
        office.ask(operation, f"at {address[:80]}", (404,), address=address)


@every
def test_f5_methods_and_types_that_are_not_taken_are_refused(office: Office, operation: Operation) -> None:
    taken = {method for method in METHODS if hasattr(operation.view, method)}
    for method in {*METHODS, "options", "trace", "brew"} - taken:
        office.ask(operation, method, (405,), method=method)
        office.ask(operation, f"{method} of nobody", (405,), method=method, token="")
    if operation.bodies:
        for kind in ("text/plain", "application/xml", "application/x-www-form-urlencoded", "application/json2", ""):
            office.ask(operation, f"as {kind}", (415,), kind=kind, body=b"title=x")
        office.ask(operation, "in UTF-7", (400,), kind="application/json; charset=utf-7")
    if not operation.is_openai:  # whose clients ask for whatever comes
        office.ask(operation, "asked for as CSV", (406,), Accept="text/csv")


@every
def test_f1_f3_f18_bodies_that_cannot_be_used_are_refused(office: Office, operation: Operation) -> None:
    if operation.takes_json:
        for what, body in bodies(operation):
            office.ask(operation, what, (413,) if what == "huge" else (400, 422), body=body)


def test_f3_u_0000_in_a_text_is_cleaned_or_refused(office: Office) -> None:
    faults, tried = [], 0
    headers = {"Authorization": f"Bearer {office.secrets['owner']}", "Prefer": "respond-async"}
    for operation in documented():
        for what, body in with_nulls(operation) if operation.takes_json else ():
            method, address = operation.method.upper(), office.address(operation)
            response = office.client.generic(method, address, body, "application/json", headers=headers)
            tried += 1
            is_late = operation.is_openai and response.status_code == 504  # accepted, and not waited for
            if response.status_code >= 500 and not is_late:
                faults.append(f"{operation}, {what}: {response.status_code}")
            response.close()
    assert faults == []
    assert tried > 30


@every
def test_parameters_that_cannot_be_used_are_refused(office: Office, operation: Operation) -> None:
    for what, query in queries(operation):
        office.ask(operation, what, (400,), query=query)
    office.ask(operation, "U+0000", (400,), query="q=%00")


@every
def test_headers_that_cannot_be_used_are_refused(office: Office, operation: Operation) -> None:
    if operation.method == "post":
        for key in ("", "two words", "x" * 256):
            office.ask(operation, f"the key {key[:10]}", (400,), Idempotency_Key=key)
    if operation.method in ("put", "patch", "delete") and hasattr(operation.view, "get"):
        office.ask(operation, "another ETag", (412,), If_Match='"0000"')


@every
def test_r3_a_session_without_its_csrf_token_writes_nothing(office: Office, operation: Operation) -> None:
    if operation.method == "get":
        return
    client, office.client = office.client, Client(enforce_csrf_checks=True, raise_request_exception=False)
    office.client.cookies[settings.SESSION_COOKIE_NAME] = office.world.session_key("owner")
    office.ask(operation, "no CSRF token", (403,), token="")
    office.ask(operation, "from elsewhere", (403,), token="", Origin="https://elsewhere.example")
    office.client = client
