"""The canonical document of a conversation: the same rows give the same bytes. docs/record-format.md describes it."""

from __future__ import annotations

import datetime
import json
from codecs import getincrementaldecoder
from collections.abc import Iterator
from decimal import Decimal
from typing import IO, Any
from uuid import UUID

from conversations.models import Attachment, Conversation, Generation, Message

FORMAT = 1
SECTIONS = ("attachments", "conversation", "format", "generations", "messages")
"""The names of the document's parts, in their order."""

# The columns of each part. A change of these, or of how a value is written, is a new version of the format.
CONVERSATION_COLUMNS = (
    "id", "owner", "assistant", "model", "continued_from", "title", "is_title_provisional", "state", "current_leaf",
    "created_at", "last_activity_at", "concluded_at", "concluded_by",
)  # fmt: skip
MESSAGE_COLUMNS = (
    "id", "conversation", "owner", "parent", "assistant", "copy_of", "role", "status", "text", "activity", "attempt",
    "client_token", "error_code", "error_text", "created_at", "finished_at", "is_supplied", "options",
)  # fmt: skip
_ONLY_WHERE_SET = ("is_supplied", "options")  # of messages; so documents of before there were these stay as they are
GENERATION_COLUMNS = (
    "id", "purpose", "conversation", "message", "step", "attempt", "job_id", "status", "model", "model_asked",
    "model_answered", "instructions", "parameters", "first_message", "omitted_messages", "response_id", "request_id",
    "input_tokens", "cached_tokens", "output_tokens", "reasoning_tokens", "usage_source", "price", "cost",
    "finish_reason", "error_code", "error_detail", "created_at", "started_at", "first_text_at", "finished_at",
)  # fmt: skip
PRICE_COLUMNS = ("price__valid_from", "price__input_price", "price__cached_input_price", "price__output_price")
ATTACHMENT_COLUMNS = (
    "id", "message", "owner", "origin", "state", "key", "name", "content_type", "size", "sha256", "width", "height",
    "failure", "container_id", "container_file_id", "source_id", "created_at", "ready_at",
)  # fmt: skip
_NUMBERED = frozenset({"owner", "assistant", "model", "price", "job_id"})  # ids that are numbers in their columns
_AT_ONCE = 50  # rows in memory
_CHUNK = 64 * 1024

type Row = dict[str, Any]
type Part = tuple[str, Row]


def document(conversation_id: UUID) -> Iterator[bytes]:
    """Yield the document piece by piece, in bounded memory however long the conversation is. Call in a transaction."""
    yield b'{"attachments":['
    yield from _joined(_attachments(conversation_id))
    yield b'],"conversation":' + _written(_conversation(conversation_id))
    yield b',"format":' + str(FORMAT).encode()
    yield b',"generations":['
    yield from _joined(_generations(conversation_id))
    yield b'],"messages":['
    yield from _joined(_messages(conversation_id))
    yield b"]}"


def parts(conversation_id: UUID) -> Iterator[Part]:
    """Yield what the document would hold, row by row in its order: its section and the row as it is written."""
    yield from (("attachments", row) for row in _attachments(conversation_id))
    yield "conversation", _conversation(conversation_id)
    yield from (("generations", row) for row in _generations(conversation_id))
    yield from (("messages", row) for row in _messages(conversation_id))


def read_parts(stored: IO[bytes]) -> Iterator[Part]:
    """Yield the parts of a stored document, row by row, without ever having all of it in memory."""
    text = _Text(stored)
    text.take("{")
    for section in SECTIONS:
        text.take(f'{"," if section != SECTIONS[0] else ""}"{section}":')
        if section == "format":
            text.value()
        elif section == "conversation":
            yield section, text.value()
        else:
            text.take("[")
            while not text.starts_with("]"):
                yield section, text.value()
                if text.starts_with(","):
                    text.take(",")
            text.take("]")
    text.take("}")


def moment(value: datetime.datetime) -> str:
    """Write a time: UTC, ISO 8601, always with microseconds."""
    return value.astimezone(datetime.UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def _conversation(conversation_id: UUID) -> Row:
    return _plain(Conversation.objects.values(*CONVERSATION_COLUMNS).get(pk=conversation_id))


def _messages(conversation_id: UUID) -> Iterator[Row]:
    rows = Message.objects.filter(conversation_id=conversation_id).order_by("id").values(*MESSAGE_COLUMNS)
    for row in rows.iterator(chunk_size=_AT_ONCE):
        plain = _plain(row)
        yield {name: value for name, value in plain.items() if value or name not in _ONLY_WHERE_SET}


def _generations(conversation_id: UUID) -> Iterator[Row]:
    rows = Generation.objects.filter(conversation_id=conversation_id).order_by("id")
    for row in rows.values(*GENERATION_COLUMNS, *PRICE_COLUMNS).iterator(chunk_size=_AT_ONCE):
        price = {name.removeprefix("price__"): row.pop(name) for name in PRICE_COLUMNS}
        plain = _plain(row)
        plain["price"] = plain["price"] and _plain({"id": plain["price"]} | price)
        yield plain


def _attachments(conversation_id: UUID) -> Iterator[Row]:
    rows = Attachment.objects.filter(message__conversation_id=conversation_id).order_by("id")
    return map(_plain, rows.values(*ATTACHMENT_COLUMNS).iterator(chunk_size=_AT_ONCE))


def _plain(row: Row) -> Row:
    """Return a row with values that JSON has, so that it equals what is read from the document."""
    return {name: _value(name, value) for name, value in row.items()}


def _value(name: str, value: Any) -> Any:
    match value:
        case datetime.datetime():
            return moment(value)
        case UUID() | Decimal() | datetime.date():
            return str(value)
        case int() if name in _NUMBERED:
            return str(value)
    return value


def _written(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _joined(rows: Iterator[Row]) -> Iterator[bytes]:
    comma = b""
    for row in rows:
        yield comma + _written(row)
        comma = b","


class _Text:
    """A file as text, of which as much is in memory as the value being read takes."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._decode = getincrementaldecoder("utf-8")()
        self._json = json.JSONDecoder()
        self._text, self._at = "", 0
        self._is_over = False

    def starts_with(self, words: str) -> bool:
        while len(self._text) - self._at < len(words) and not self._is_over:
            self._more()
        return self._text.startswith(words, self._at)

    def take(self, words: str) -> None:
        if not self.starts_with(words):
            raise ValueError(f"{words} is expected")
        self._at += len(words)

    def value(self) -> Any:
        """Return the JSON value that comes next. A number must have something behind it, as all of ours have."""
        while True:
            try:
                value, end = self._json.raw_decode(self._text, self._at)
            except ValueError:
                if self._is_over:
                    raise
            else:
                if end < len(self._text) or self._is_over:
                    self._at = end
                    return value
            self._more()

    def _more(self) -> None:
        # As much again as there is: a long value is tried few times.
        chunk = self._file.read(max(_CHUNK, len(self._text) - self._at))
        self._is_over = not chunk
        self._text, self._at = self._text[self._at :] + self._decode.decode(chunk, final=not chunk), 0
