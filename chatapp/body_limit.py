"""How much a request may carry, told while it comes in: Django would write all of it to disk before it looks."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

type Event = Mapping[str, Any]
type Receive = Callable[[], Awaitable[Event]]
type Send = Callable[[Event], Awaitable[None]]
type Application = Callable[[Mapping[str, Any], Receive, Send], Awaitable[None]]

MEGABYTE = 1_000_000
WITH_FILES = ("/conversations/", "/attachments/")
WITH_ONE_FILE = ("/api/v1/attachments", "/api/v1/batches")
RESOURCES, API = "/api/", ("/api/", "/v1/")


class BodyLimit:
    """Answers 413 to a request that is larger than it may be, and lets nothing more of it reach the application.

    A form with files may have `files_bytes` where messages are sent and files received, and `file_bytes` where the API
    takes a single one; what its resources take otherwise may have `resource_bytes`, and everything else `other_bytes`,
    the door that takes pictures in JSON among it.
    A body that tells no length, or a wrong one, is counted as it arrives. The connection is closed then, as the rest
    of the body is still on its way.
    """

    def __init__(
        self, application: Application, *, files_bytes: int, file_bytes: int, resource_bytes: int, other_bytes: int
    ) -> None:
        self.application = application
        self.files_bytes = files_bytes
        self.file_bytes = file_bytes
        self.resource_bytes = resource_bytes
        self.other_bytes = other_bytes

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.application(scope, receive, send)
            return
        headers = {bytes(name).lower(): bytes(value) for name, value in scope["headers"]}
        limit, is_api = self._limit(headers, scope["path"]), scope["path"].startswith(API)
        declared = headers.get(b"content-length", b"0")
        if declared.isdigit() and int(declared) > limit:
            await _refuse(send, limit, is_api=is_api)
            return
        received, is_refused = 0, False

        async def receive_within_limit() -> Event:
            nonlocal received, is_refused
            if is_refused:
                return {"type": "http.disconnect"}
            event = await receive()
            received += len(event.get("body", b""))
            if received <= limit:
                return event
            is_refused = True
            await _refuse(send, limit, is_api=is_api)
            return {"type": "http.disconnect"}  # the application drops what it has, and answers nothing

        async def send_unless_refused(event: Event) -> None:
            if not is_refused:
                await send(event)

        await self.application(scope, receive_within_limit, send_unless_refused)

    def _limit(self, headers: Mapping[bytes, bytes], path: str) -> int:
        is_form = headers.get(b"content-type", b"").lower().startswith(b"multipart/form-data")
        if is_form and path.startswith(WITH_FILES):
            return self.files_bytes
        if is_form and path.startswith(WITH_ONE_FILE):
            return self.file_bytes
        return self.resource_bytes if path.startswith(RESOURCES) else self.other_bytes


async def _refuse(send: Send, limit: int, *, is_api: bool) -> None:
    words = (_problem(limit) if is_api else _words(limit)).encode()
    headers = {
        b"content-type": b"application/problem+json" if is_api else b"text/plain; charset=utf-8",
        b"content-length": str(len(words)).encode(),
        b"connection": b"close",
        b"cache-control": b"no-store",
        b"x-content-type-options": b"nosniff",
        b"content-security-policy": b"default-src 'none'",
    }
    await send({"type": "http.response.start", "status": 413, "headers": list(headers.items())})
    await send({"type": "http.response.body", "body": words})


def _words(limit: int) -> str:
    return (
        f"This is too large: one request may carry {limit // MEGABYTE} MB. Nothing of it was kept. "
        "Go back and send fewer or smaller files; text that you typed is kept there.\n"
    )


def _problem(limit: int) -> str:
    """Return the same as the problem that the API's own parser would answer."""
    return json.dumps(
        {
            "type": "urn:verbatim:problem:too_large",
            "title": "Content Too Large",
            "status": 413,
            "detail": f"The body is too large; it may have {limit:,} bytes.",
            "code": "too_large",
            "errors": [],
        }
    )
