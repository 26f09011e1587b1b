"""An answer as server-sent events: `text`, `activity`, `file`, and `completed` at its end, however it ended."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator
from typing import Any

from django.http import StreamingHttpResponse
from rest_framework.renderers import JSONRenderer

from conversations.api.live.reader import Reader
from conversations.api.live.waiting import Activity, Ended, Files, Idle, Text, events
from conversations.live.database import in_database_patiently
from conversations.live.markup import event

MEDIA_TYPE = "text/event-stream"
HELLO = b"retry: 1000\n\n"  # the headers go out with it, and browsers come back after a second


def streamed(reader: Reader, *, after: int) -> StreamingHttpResponse:
    """Return the stream of an answer behind its first `after` code points. It holds no database connection."""
    response = StreamingHttpResponse(stream(reader, after=after), content_type=MEDIA_TYPE)
    response["Cache-Control"] = "no-store, private"
    response["X-Accel-Buffering"] = "no"
    return response


async def stream(reader: Reader, *, after: int) -> AsyncGenerator[bytes]:
    """Yield the events of an answer to its end.

    Those of text have as id how many code points there are with them; who comes back with that id goes on there, in
    any process. A stream that ends without `completed` ended for another reason than the answer's end.
    """
    told: dict[str, str] = {}
    yield HELLO
    async with contextlib.aclosing(events(reader.message_id, after=after, may_go_on=reader.may_go_on)) as happenings:
        async for happening in happenings:
            match happening:
                case Text(start, text):
                    yield written("text", {"start": start, "text": text}, event_id=happening.end)
                case Activity(text):
                    yield written("activity", {"text": text})
                case Idle():
                    yield b": still here\n\n"
                case Files() | Ended():
                    only = None if isinstance(happening, Ended) else {"id", "files"}
                    message = await in_database_patiently(reader.shown, only=only)
                    if message is None:
                        return
                    for file in message["files"]:
                        if told.get(file["id"]) != file["state"]:
                            told[file["id"]] = file["state"]
                            yield written("file", file)
                    if isinstance(happening, Ended):
                        yield written("completed", message)


class _AsciiRenderer(JSONRenderer):
    """Writes no character at which a client might end a line, such as U+0085."""

    ensure_ascii = True


def written(name: str, data: dict[str, Any], *, event_id: int | None = None) -> bytes:
    """Return an event as it is sent."""
    return event(_AsciiRenderer().render(data).decode(), name=name, event_id=event_id)
