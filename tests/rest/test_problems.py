"""Whatever goes wrong is told as a problem, and nothing is done."""

from __future__ import annotations

import io
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.core.handlers.asgi import ASGIRequest
from django.test import Client

from tests.factories import make_user
from tests.rest import site
from tests.rest.conftest import NOTE, Program, problem, program_of

DEEP = b'{"title": ' + b"[" * 33 + b"]" * 33 + b"}"
BODIES: dict[str, tuple[bytes, str]] = {
    "no JSON": (b"{title: 1}", "malformed"),
    "half of it": (b'{"title": "a"', "malformed"),
    "a list": (b'["title"]', "malformed"),
    "a text": (b'"title"', "malformed"),
    "nothing but null": (b"null", "malformed"),
    "two values": (b'{"title": "a"} {}', "malformed"),
    "no UTF-8": (b'{"title": "\xff"}', "malformed"),
    "UTF-16": ('{"title": "a"}'.encode("utf-16"), "malformed"),
    "a mark of byte order": (b'\xef\xbb\xbf{"title": "a"}', "malformed"),
    "half of a character": (rb'{"title": "\ud800"}', "malformed"),
    "half of a character as a key": (rb'{"\udfff": 1}', "malformed"),
    "NaN": (b'{"count": NaN}', "malformed"),
    "Infinity": (b'{"count": -Infinity}', "malformed"),
    "more than a float holds": (b'{"count": 1e999}', "malformed"),
    "an endless number": (b'{"count": ' + b"9" * 5000 + b"}", "malformed"),
    "a key twice": (b'{"title": "a", "title": "b"}', "duplicate_key"),
    "a key twice inside": (b'{"title": "a", "history": [{"role": "user", "role": "user"}]}', "duplicate_key"),
    "33 levels": (DEEP, "too_deep"),
    "100,000 levels": (b'{"title": ' + b"[" * 100_000, "too_deep"),
    "an unknown field": (b'{"title": "a", "owner": 1}', "invalid"),
    "a field that is told alone": (b'{"title": "a", "made_at": "2026-01-01T00:00:00Z"}', "invalid"),
    "a number for a text": (b'{"title": 7}', "invalid"),
    "a text for a number": (b'{"title": "a", "count": "7"}', "invalid"),
    "a truth for a number": (b'{"title": "a", "count": true}', "invalid"),
    "a text for a truth": (b'{"title": "a", "is_kept": "yes"}', "invalid"),
    "a number for a truth": (b'{"title": "a", "is_kept": 1}', "invalid"),
    "an object for a list": (b'{"title": "a", "history": {}}', "invalid"),
    "a text in a list of numbers": (b'{"title": "a", "history": [{"role": "user", "marks": [1, "2"]}]}', "invalid"),
    "null": (b'{"title": null}', "invalid"),
    "nothing": (b"", "invalid"),
    "U+0000": (rb'{"title": "\u0000"}', "invalid"),
    "too much": (b'{"title": "' + b"a" * 2_000_000 + b'"}', "too_large"),
}


@pytest.mark.parametrize("named", BODIES)
def test_f3_f5_a_body_that_cannot_be_used_is_refused_with_the_reason(program: Program, named: str) -> None:
    body, code = BODIES[named]
    assert problem(program.ask("POST", NOTE, body)) == (413 if code == "too_large" else 400, code)
    assert site.carried_out == []


def test_f5_the_field_that_is_wrong_is_named_by_its_path(program: Program) -> None:
    history = [{"role": "user", "marks": [1, 2]}, {"role": "system", "marks": ["x"]}, {"mood": "good"}]
    response = program.ask("POST", NOTE, {"title": "a" * 21, "history": history})
    assert [error["field"] for error in response.json()["errors"]] == [
        "title", "history[1].marks[0]", "history[2].mood",
    ]  # fmt: skip


def test_f5_a_body_of_another_type_is_refused(program: Program) -> None:
    for kind in (
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/xml",
    ):
        response = program.client.post(NOTE, b'{"title": "a"}', kind, headers=program.headers)
        assert problem(response) == (415, "unsupported_media_type")
    response = program.client.post(NOTE, b'{"title": "a"}', "", headers=program.headers)
    assert problem(response) == (415, "unsupported_media_type")
    assert site.carried_out == []


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "TRACE", "USER", "DISPATCH"])
def test_f5_a_method_that_is_not_there_is_refused_for_everybody(program: Program, method: str) -> None:
    for address in (NOTE, "/api/v1/waiting/"):
        assert problem(program.ask(method, address)) == (405, "method_not_allowed")
        response = Client().generic(method, address)
        assert problem(response) == (405, "method_not_allowed")
        assert "GET" in response["Allow"]


def test_f5_a_format_that_is_not_spoken_is_refused(program: Program) -> None:
    assert problem(program.ask("GET", NOTE, Accept="text/csv")) == (406, "not_acceptable")


def test_f5_no_header_makes_a_get_into_a_delete(program: Program) -> None:
    response = program.ask("POST", NOTE, {"title": "a"}, X_HTTP_Method_Override="PATCH")
    assert response.status_code == 201


def test_a_parameter_that_is_not_there_is_refused_and_named(program: Program) -> None:
    response = program.ask("GET", f"{NOTE}?newest=true&oldest=1")
    assert problem(response) == (400, "invalid")
    assert [error["field"] for error in response.json()["errors"]] == ["oldest"]
    assert problem(program.ask("GET", f"{NOTE}?newest=true&newest=false")) == (400, "invalid")
    for value in ("perhaps", "", "nothing"):
        assert problem(program.ask("GET", f"{NOTE}?newest={value}")) == (400, "invalid"), value
    assert problem(program.ask("POST", f"{NOTE}?newest=true", {"title": "a"})) == (400, "invalid")
    assert program.ask("GET", f"{NOTE}?newest=true").json()["newest"] is True


def test_r3_nobody_gets_in_without_signing_in_and_is_told_how(db: None) -> None:
    for headers, code in (({}, "not_authenticated"), ({"Authorization": "Bearer nonsense"}, "invalid_token")):
        for address in (NOTE, "/api/v1/waiting/"):
            response = Client(headers=headers).get(address)
            assert problem(response) == (401, code)
            assert response["WWW-Authenticate"].startswith("Bearer")


def test_r3_a_session_writes_only_with_its_csrf_token(db: None) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(make_user())
    assert client.get(NOTE).status_code == 200
    for address in (NOTE, "/api/v1/waiting/"):
        assert problem(client.post(address, {"title": "a"}, "application/json")) == (403, "permission_denied")
    assert site.carried_out == []
    client.cookies["csrf"] = "a" * 32
    response = client.post(NOTE, {"title": "a"}, "application/json", headers={"X-CSRFToken": "a" * 32})
    assert response.status_code == 201


def test_a8_a_token_may_do_what_its_scopes_say(db: None) -> None:
    owner = make_user()
    reader, writer = program_of(owner, ["read"]), program_of(owner, ["write"])
    response = reader.ask("POST", NOTE, {"title": "a"})
    assert problem(response) == (403, "scope_missing")
    assert 'scope="write"' in response["WWW-Authenticate"]
    assert problem(writer.ask("GET", NOTE)) == (403, "scope_missing")
    assert writer.ask("HEAD", NOTE).status_code == 403
    assert problem(reader.ask("GET", "/api/v1/audited/")) == (403, "scope_missing")
    assert program_of(owner, ["events"]).ask("GET", "/api/v1/audited/").json() == {"access": "token"}
    assert site.carried_out == []


def test_what_an_app_raises_is_told_in_its_own_words(program: Program) -> None:
    for address in (NOTE, "/api/v1/waiting/"):
        response = program.ask("POST", address, {"title": "stubborn"})
        assert problem(response) == (409, "stubborn")
        assert (response.json()["detail"], response["Retry-After"]) == ("Not today.", "3")


def test_a_fault_of_ours_is_a_problem_that_tells_nothing_of_it(program: Program) -> None:
    response = program.ask("POST", NOTE, {"title": "broken"})
    assert problem(response) == (500, "fault")
    assert b"ZeroDivision" not in response.content


@pytest.mark.parametrize("address", ["/api/", "/api/v1/nowhere", "/api/v2/note/"])
def test_an_address_that_is_not_there_is_a_problem_for_everybody(db: None, address: str) -> None:
    for method in ("GET", "POST", "DELETE"):
        response = Client().generic(method, address)
        assert problem(response) == (404, "not_found")
        assert response["X-Content-Type-Options"] == "nosniff"
        assert "default-src" in response["Content-Security-Policy"]


@pytest.mark.parametrize("address", ["/v1/nowhere", "/v1/"])
def test_at_the_door_it_is_an_error_as_openai_tells_it(db: None, address: str) -> None:
    for method in ("GET", "POST", "DELETE"):
        response = Client().generic(method, address)
        assert (response.status_code, response["Content-Type"]) == (404, "application/json")
        error = response.json()["error"]
        assert (error["type"], error["param"], error["code"]) == ("invalid_request_error", None, "not_found")
        assert "X-Should-Retry" not in response


def test_a_fault_of_ours_at_the_door_is_not_to_be_tried_again(program: Program) -> None:
    response = program.ask("POST", "/v1/note", {"title": "broken"})
    assert (response.status_code, response["X-Should-Retry"]) == (500, "false")
    assert response.json()["error"]["type"] == "server_error"
    assert b"ZeroDivision" not in response.content


def test_f3_what_is_refused_before_any_view_is_a_problem_too(program: Program) -> None:
    assert problem(program.ask("GET", f"{NOTE}?q=%00")) == (400, "bad_request")
    response = program.client.post(NOTE, b"{}", "application/json; charset=utf-7", headers=program.headers)
    assert problem(response) == (400, "bad_request")
    response = program.client.get(NOTE, headers=program.headers | {"Host": "elsewhere.example"})
    assert problem(response) == (400, "bad_request")


def test_both_spellings_of_an_address_reach_the_same_view(program: Program) -> None:
    for address in ("/api/v1/waiting", "/api/v1/waiting/", "/v1/waiting", "/v1/waiting/"):
        assert program.ask("GET", address).status_code == 200
        assert program.ask("POST", address, {"title": "a"}).status_code == 200


def test_no_answer_is_kept_in_between(program: Program) -> None:
    for response in (program.ask("GET", NOTE), program.ask("GET", "/api/v1/nowhere/"), program.ask("PUT", NOTE)):
        assert response["Cache-Control"] == "private, no-store"


@pytest.mark.django_db(transaction=True)
def test_f15_a_body_that_tells_no_length_is_read_all_the_same() -> None:
    program = program_of()
    headers = {"content-type": "application/json", "transfer-encoding": "chunked"} | program.headers
    named = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": "POST", "path": "/api/v1/waiting/", "query_string": b"", "headers": named}
    view: Any = site.WaitingView.as_view()
    for body, status in ((b'{"title": "a"}', 200), (b'{"title": 7}', 400), (b"", 400)):
        request = ASGIRequest(scope, io.BytesIO(body))
        assert async_to_sync(view)(request).status_code == status
