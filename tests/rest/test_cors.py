"""Pages of other origins may call the API where a setting names them, and never with the cookies of this one."""

from __future__ import annotations

import pytest
from django.test import Client
from pytest_django import Settings

from tests.rest.conftest import NOTE, Program

HERE = "https://reports.example.org"
OTHERS = ("null", "https://example.org", "https://reports.example.org:8443", "http://reports.example.org",
          "https://a.reports.example.org", "https://reports.example.org.evil.example")  # fmt: skip


def preflight(origin: str, address: str = NOTE) -> dict[str, str]:
    headers = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    headers["Access-Control-Request-Headers"] = "authorization, idempotency-key"
    response = Client().options(address, headers=headers)
    return {name.lower(): value for name, value in response.headers.items() if name.lower().startswith("access-")}


@pytest.mark.parametrize("origin", [HERE, *OTHERS])
def test_r4_by_itself_no_other_origin_may_call(program: Program, origin: str) -> None:
    assert preflight(origin) == {}
    response = program.ask("GET", NOTE, Origin=origin)
    assert not [name for name in response.headers if name.lower().startswith("access-")]


def test_r4_an_origin_that_is_named_may_call_with_a_token_and_reads_what_it_needs(
    program: Program, settings: Settings
) -> None:
    settings.CORS_ALLOWED_ORIGINS = [HERE]
    allowed = preflight(HERE)
    assert allowed["access-control-allow-origin"] == HERE
    assert "idempotency-key" in allowed["access-control-allow-headers"]
    assert "access-control-allow-credentials" not in allowed
    response = program.ask("GET", NOTE, Origin=HERE)
    assert response["Access-Control-Allow-Origin"] == HERE
    assert "Retry-After" in response["Access-Control-Expose-Headers"]
    refused = program.ask("GET", f"{NOTE}?x=1", Origin=HERE)
    assert (refused.status_code, refused["Access-Control-Allow-Origin"]) == (400, HERE)
    for origin in OTHERS:
        assert "access-control-allow-origin" not in preflight(origin)
    for page in ("/conversations/", "/admin/", "/accounts/login/"):
        assert preflight(HERE, page) == {}
