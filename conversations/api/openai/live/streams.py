"""Answers as OpenAI streams them: chunks of a chat completion, and the events of a response."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncGenerator, Callable
from typing import Any

from django.http import StreamingHttpResponse

from conversations.api.live.reader import Reader
from conversations.api.live.sse import MEDIA_TYPE
from conversations.api.live.waiting import Ended, Happening, Idle, Text, events
from conversations.api.openai.answers import (
    CHAT,
    FAILED,
    Found,
    chat_usage,
    created,
    find_for,
    finish_reason,
    item_id,
    output_item,
    part,
    response,
)
from conversations.api.openai.asking import Asked
from conversations.live.database import in_database_patiently
from conversations.models import Message

DONE = b"data: [DONE]\n\n"
STILL_HERE = b": still here\n\n"
_CUT = "The stream broke off. The answer is written on; read it in its conversation."
_CHANGED = "The final text is another one than what was streamed. Read it in its conversation."

type Streamer = Callable[[Reader, Found, Asked], AsyncGenerator[bytes]]


def streamed(stream: Streamer, reader: Reader, found: Found, asked: Asked) -> StreamingHttpResponse:
    """Return the stream of an answer. It holds no database connection."""
    answer = StreamingHttpResponse(stream(reader, found, asked), content_type=MEDIA_TYPE)
    answer["Cache-Control"] = "no-store, private"
    answer["X-Accel-Buffering"] = "no"
    return answer


async def chat_chunks(reader: Reader, found: Found, asked: Asked) -> AsyncGenerator[bytes]:
    """Yield a chat completion in chunks. One that cannot come to its end has an error for its last word."""
    base = {"id": CHAT + found.message.pk.hex, "object": "chat.completion.chunk", "created": created(found)}
    base |= {"model": asked.model, "conversation": str(found.message.conversation_id)}
    if asked.has_usage:
        base |= {"usage": None}

    def chunk(delta: dict[str, Any], reason: str | None = None) -> bytes:
        return _data(base | {"choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}]})

    yield chunk({"role": "assistant", "content": "", "refusal": None})
    told = 0
    async with contextlib.aclosing(_follow(reader)) as happenings:
        async for happening in happenings:
            match happening:
                case Text(start, text):
                    if start < told:  # deltas cannot be taken back
                        yield _error("text_changed", _CHANGED)
                        return
                    told += len(text)
                    yield chunk({"content": text})
                case Idle():
                    yield STILL_HERE
                case Ended():
                    ended = await in_database_patiently(find_for, reader=reader)
                    if ended is None:
                        break
                    if ended.message.status in FAILED:
                        yield _error(ended.message.error_code or "broken_off", ended.message.error_text or _CUT)
                        return
                    yield chunk({}, finish_reason(ended))
                    if asked.has_usage:
                        yield _data(base | {"choices": [], "usage": chat_usage(ended)})
                    yield DONE
                    return
    yield _error("broken_off", _CUT)


async def response_events(reader: Reader, found: Found, asked: Asked) -> AsyncGenerator[bytes]:
    """Yield a response as its events. The last one has all of the text, whatever the deltas said."""
    number = -1
    message_id, place = item_id(found.message.pk), {"output_index": 0}
    inside = {"item_id": message_id, "content_index": 0} | place

    def event(kind: str, **fields: Any) -> bytes:
        nonlocal number
        number += 1
        return _data({"type": kind, "sequence_number": number} | fields, name=kind)

    begun = response(found, asked) | {"status": "in_progress", "output": []}
    yield event("response.created", response=begun)
    yield event("response.in_progress", response=begun)
    item = {"id": message_id, "type": "message", "status": "in_progress", "role": "assistant", "content": []}
    yield event("response.output_item.added", item=item, **place)
    yield event("response.content_part.added", part=part(""), **inside)
    told = 0
    async with contextlib.aclosing(_follow(reader)) as happenings:
        async for happening in happenings:
            match happening:
                case Text(start, text):
                    if start >= told:
                        told += len(text)
                        yield event("response.output_text.delta", delta=text, logprobs=[], **inside)
                case Idle():
                    yield STILL_HERE
                case Ended():
                    ended = await in_database_patiently(find_for, reader=reader)
                    if ended is None:
                        break
                    for kind, fields in _last_words(ended, asked, inside, place):
                        yield event(kind, **fields)
                    return
    yield event("error", code="broken_off", message=_CUT, param=None)


def _last_words(
    ended: Found, asked: Asked, inside: dict[str, Any], place: dict[str, Any]
) -> list[tuple[str, dict[str, Any]]]:
    is_refusal = ended.message.status == Message.Status.REFUSED
    whole = response(ended, asked)
    words: list[tuple[str, dict[str, Any]]] = []
    if is_refusal:
        words.append(("response.refusal.done", {"refusal": ended.text, **inside}))
    else:
        words.append(("response.output_text.done", {"text": ended.text, "logprobs": [], **inside}))
    words.append(("response.content_part.done", {"part": part(ended.text, is_refusal=is_refusal), **inside}))
    words.append(("response.output_item.done", {"item": output_item(ended), **place}))
    kind = whole["status"] if whole["status"] in ("completed", "failed") else "incomplete"
    words.append((f"response.{kind}", {"response": whole}))
    return words


def _follow(reader: Reader) -> AsyncGenerator[Happening]:
    return events(reader.message_id, may_go_on=reader.may_go_on)


def _data(value: dict[str, Any], *, name: str = "") -> bytes:
    head = f"event: {name}\n" if name else ""
    # In ASCII: there are clients for which U+2028, U+2029 and U+0085 end a line as well.
    return f"{head}data: {json.dumps(value)}\n\n".encode()


def _error(code: str, words: str) -> bytes:
    return _data({"error": {"message": words, "type": "server_error", "param": None, "code": code}})
