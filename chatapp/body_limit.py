"""How much a request may carry, told while it comes in: Django would write all of it to disk before it looks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

type Event = Mapping[str, Any]
type Receive = Callable[[], Awaitable[Event]]
type Send = Callable[[Event], Awaitable[None]]
type Application = Callable[[Mapping[str, Any], Receive, Send], Awaitable[None]]

MEGABYTE = 1_000_000
WITH_FILES = ("/conversations/", "/attachments/", "/api/v1/attachments", "/api/v1/batches")


class BodyLimit:
    """Answers 413 to a request that is larger than it may be, and lets nothing more of it reach the application.

    A form with files may have `files_bytes` where messages are sent and files received, everything else `other_bytes`.
    A body that tells no length, or a wrong one, is counted as it arrives. The connection is closed then, as the rest
    of the body is still on its way.
    """

    def __init__(self, application: Application, *, files_bytes: int, other_bytes: int) -> None:
        self.application = application
        self.files_bytes = files_bytes
        self.other_bytes = other_bytes

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.application(scope, receive, send)
            return
        headers = {bytes(name).lower(): bytes(value) for name, value in scope["headers"]}
        is_form = headers.get(b"content-type", b"").lower().startswith(b"multipart/form-data")
        has_files = is_form and scope["path"].startswith(WITH_FILES)
        limit = self.files_bytes if has_files else self.other_bytes
        declared = headers.get(b"content-length", b"0")
        if declared.isdigit() and int(declared) > limit:
            await _refuse(send, limit)
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
            await _refuse(send, limit)
            return {"type": "http.disconnect"}  # the application drops what it has, and answers nothing

        async def send_unless_refused(event: Event) -> None:
            if not is_refused:
                await send(event)

        await self.application(scope, receive_within_limit, send_unless_refused)


async def _refuse(send: Send, limit: int) -> None:
    words = (
        f"This is too large: one request may carry {limit // MEGABYTE} MB. Nothing of it was kept. "
        "Go back and send fewer or smaller files; text that you typed is kept there.\n"
    ).encode()
    headers = {
        b"content-type": b"text/plain; charset=utf-8",
        b"content-length": str(len(words)).encode(),
        b"connection": b"close",
        b"cache-control": b"no-store",
        b"x-content-type-options": b"nosniff",
        b"content-security-policy": b"default-src 'none'",
    }
    await send({"type": "http.response.start", "status": 413, "headers": list(headers.items())})
    await send({"type": "http.response.body", "body": words})
