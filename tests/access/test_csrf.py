"""No other site can make a browser do anything here."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from tests.access.record import changed_tables, snapshot
from tests.access.routes import all_routes
from tests.access.table import expected
from tests.access.world import World

UNSAFE = ("POST", "PUT", "PATCH", "DELETE")
PLAIN = "application/x-www-form-urlencoded"


def strict(world: World, role: str) -> Client:
    """Return a browser that is signed in and whose forms are checked."""
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    client.cookies.update(world.client(role).cookies)
    return client


def token_of(client: Client) -> str:
    """Read the token that a page gives to its own forms."""
    page = client.get("/conversations/").content.decode()
    found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
    assert found is not None
    return found[1]


def requests(world: World, token: str, foreign: str) -> list[dict[str, Any]]:
    """Return ways to send what another site could make a browser send."""
    form = world.form()
    return [
        {"data": form},
        {"data": form | {"csrfmiddlewaretoken": foreign}},
        {"data": form | {"csrfmiddlewaretoken": ""}},
        {"data": form, "headers": {"X-CSRFToken": foreign}},
        {"data": form, "headers": {"HX-Request": "true"}},
        {"data": form | {"csrfmiddlewaretoken": token}, "headers": {"Origin": "https://evil.example"}},
        {"data": form | {"csrfmiddlewaretoken": token}, "headers": {"Origin": "null"}},
        {"data": form | {"csrfmiddlewaretoken": token}, "headers": {"Origin": "http://testserver.evil.example"}},
        {"data": '{"prompt": "Hi", "csrfmiddlewaretoken": "' + token + '"}', "content_type": "text/plain"},
        {"data": '{"prompt": "Hi"}', "content_type": "application/json"},
    ]


def test_r1_no_route_at_all_is_written_to_without_a_token(world: World) -> None:
    before = snapshot()
    clients = {role: strict(world, role) for role in ("anonymous", "owner", "administrator")}
    accepted = []
    for route, pattern in all_routes().items():
        address = world.address(route, pattern)
        for role, client in clients.items():
            for verb in UNSAFE:
                status = client.generic(verb, address, "title=Taken&post=yes", PLAIN).status_code
                if status not in _refusals(route, pattern, verb, role):
                    accepted.append(f"{verb} {route} as {role}: {status}")
    # The gate of the back office reads no form; it sends to the sign-in page, whatever the verb.
    assert [line for line in accepted if " admin:login " not in line] == []
    assert changed_tables(before, snapshot()) == []


def _refusals(route: str, pattern: str, verb: str, role: str) -> tuple[int, ...]:
    """Return how this may be refused; the API first looks at the verb, then at who asks, and at nothing else."""
    if not pattern.startswith(("api/", "v1/")):
        return (403,)
    if expected(route, verb, role).status == 405:
        return (405, 403)
    return (401,) if role == "anonymous" else (403,)


@pytest.mark.parametrize("name", ["list", "send", "rename", "stop", "retry"])
def test_r1_neither_a_foreign_token_nor_a_foreign_origin_is_accepted(world: World, name: str) -> None:
    route = f"conversations:{name}"
    address = world.address(route, all_routes()[route])
    client, other = strict(world, "owner"), strict(world, "stranger")
    foreign, token = token_of(other), token_of(client)
    before = snapshot()
    for request in requests(world, token, foreign):
        response = client.post(address, **request)
        assert response.status_code == 403, request
        assert "This page was out of date" in response.content.decode()
    assert changed_tables(before, snapshot()) == []
    for more in ({}, {"Origin": "http://testserver"}):
        response = client.post(address, world.form() | {"csrfmiddlewaretoken": token}, headers=more)
        assert response.status_code in (303, 409)


def test_r1_htmx_sends_the_token_as_a_header(world: World) -> None:
    client = strict(world, "owner")
    token = token_of(client)
    response = client.post("/conversations/", world.form(), headers={"X-CSRFToken": token, "HX-Request": "true"})
    assert response.status_code == 200
    assert response["HX-Redirect"].startswith("/conversations/")


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://testserver:81", "http://a.testserver"])
def test_r4_no_origin_is_told_that_it_may_read(world: World, origin: str) -> None:
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "x-csrftoken",
    }
    for address in ("/conversations/", "/accounts/login/", "/healthz", "/admin/"):
        for verb in ("OPTIONS", "GET"):
            response = world.ask("owner", verb, address, headers=headers)
            assert not [name for name in response.headers if name.lower().startswith("access-control-")]
