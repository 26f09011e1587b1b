"""A request that carries too much is cut off while it comes in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from asgiref.sync import async_to_sync

from chatapp.body_limit import BodyLimit

FORM = b"multipart/form-data; boundary=x"


class Browser:
    """Sends the chunks of a body one by one and keeps what is answered."""

    def __init__(self, *chunks: bytes) -> None:
        self.left = list(chunks)
        self.sent: list[Mapping[str, Any]] = []

    async def receive(self) -> Mapping[str, Any]:
        return {"type": "http.request", "body": self.left.pop(0), "more_body": bool(self.left)}

    async def send(self, event: Mapping[str, Any]) -> None:
        self.sent.append(event)


class Application:
    """Reads a body to its end as Django does, and answers."""

    def __init__(self) -> None:
        self.read = b""
        self.is_asked = False

    async def __call__(self, scope: Mapping[str, Any], receive: Any, send: Any) -> None:
        self.is_asked, more = True, True
        while more:
            event = await receive()
            if event["type"] == "http.disconnect":
                break
            self.read += event["body"]
            more = event["more_body"]
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"done"})


def ask(browser: Browser, **headers: bytes) -> tuple[int, Application]:
    return ask_at("/attachments/", browser, **headers)


def ask_at(path: str, browser: Browser, **headers: bytes) -> tuple[int, Application]:
    """Send a request of at most 100 bytes, or 1,000 with files; return the status and what Django saw."""
    application = Application()
    named = [(name.replace("_", "-").encode(), value) for name, value in headers.items()]
    scope = {"type": "http", "path": path, "headers": named}
    limited = BodyLimit(application, files_bytes=1000, file_bytes=500, resource_bytes=50, other_bytes=100)
    async_to_sync(limited)(scope, browser.receive, browser.send)
    starts = [event["status"] for event in browser.sent if event["type"] == "http.response.start"]
    assert len(starts) == 1
    return starts[0], application


@pytest.mark.parametrize(
    ("kind", "size", "status"), [(b"", 100, 200), (b"", 101, 413), (FORM, 1000, 200), (FORM, 1001, 413)]
)
def test_f15_exactly_the_limit_passes_and_one_byte_more_does_not(kind: bytes, size: int, status: int) -> None:
    for headers in ({}, {"content_length": str(size).encode()}):
        told, application = ask(Browser(b"x" * size), content_type=kind, **headers)
        assert told == status
        assert len(application.read) == (size if status == 200 else 0)


def test_f15_a_length_that_is_too_large_is_refused_before_anything_is_read() -> None:
    browser = Browser(b"x" * 50, b"x" * 50)
    status, application = ask(browser, content_type=FORM, content_length=b"1001")
    assert (status, application.is_asked, len(browser.left)) == (413, False, 2)


@pytest.mark.parametrize("told", [{}, {"content_length": b"5"}, {"content_length": b"x"}, {"content_length": b"-1"}])
def test_f15_a_body_that_tells_no_length_or_a_wrong_one_is_counted(told: dict[str, bytes]) -> None:
    browser = Browser(*[b"x" * 40] * 1000)
    status, application = ask(browser, **told)
    assert status == 413
    assert len(application.read) == 80
    assert len(browser.left) == 997, "the rest is not even asked for"


@pytest.mark.parametrize(("path", "status"), [("/conversations/", 200), ("/accounts/login/", 413), ("/", 413)])
def test_f15_files_may_come_only_where_they_are_received(path: str, status: int) -> None:
    assert ask_at(path, Browser(b"x" * 500), content_type=FORM)[0] == status


def test_the_refusal_is_a_sentence_and_closes_the_connection() -> None:
    browser = Browser(b"x" * 2000)
    ask(browser, content_type=b"Multipart/Form-Data; boundary=x")
    start, body = browser.sent
    headers = dict(start["headers"])
    assert headers[b"connection"] == b"close"
    assert headers[b"content-type"] == b"text/plain; charset=utf-8"
    assert headers[b"content-length"] == str(len(body["body"])).encode()
    assert b"This is too large" in body["body"]
    assert b"Go back" in body["body"]


def test_other_connections_pass() -> None:
    seen = []

    async def application(scope: Mapping[str, Any], receive: object, send: object) -> None:
        seen.append(scope["type"])

    browser = Browser()
    limited = BodyLimit(application, files_bytes=1, file_bytes=1, resource_bytes=1, other_bytes=1)
    async_to_sync(limited)({"type": "lifespan"}, browser.receive, browser.send)
    assert seen == ["lifespan"]


@pytest.mark.parametrize(
    ("path", "kind", "size", "status"),
    [
        ("/api/v1/conversations/", b"application/json", 50, 200),
        ("/api/v1/conversations/", b"application/json", 51, 413),
        ("/api/v1/conversations/", FORM, 51, 413),
        ("/api/v1/attachments", FORM, 500, 200),
        ("/api/v1/attachments/", FORM, 501, 413),
        ("/api/v1/attachments/", b"application/json", 51, 413),
        ("/api/v1/batches/", FORM, 500, 200),
        ("/v1/responses", b"application/json", 100, 200),
        ("/v1/responses", b"application/json", 101, 413),
    ],
)
def test_f2_f15_the_api_has_limits_of_its_own_and_answers_with_a_problem(
    path: str, kind: bytes, size: int, status: int
) -> None:
    browser = Browser(b"x" * size)
    assert ask_at(path, browser, content_type=kind)[0] == status
    if status == 413:
        start, end = browser.sent
        assert (b"content-type", b"application/problem+json") in start["headers"]
        told = json.loads(end["body"])
        assert (told["status"], told["code"]) == (413, "too_large")
