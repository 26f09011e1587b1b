"""Messages as a table for spreadsheets and analysts."""

from __future__ import annotations

import csv
import datetime
import io
import unicodedata
from collections.abc import Callable, Generator
from decimal import Decimal

from conversations.exporting.rows import Chosen, Turn, read_turns
from conversations.models import Attachment
from conversations.text import is_blank

PIECE = 128 * 1024  # characters
# Excel takes a file without it for the old encoding of its country; readers that know "utf-8-sig" leave it out.
BYTE_ORDER_MARK = "\ufeff"
# What makes a formula of a cell. U+2212 is the minus sign proper, which some spreadsheets take for a hyphen.
_FORMULA = frozenset("=+-@\u2212")

type Cell = str | int | Decimal | datetime.datetime | bool | None

COLUMNS: dict[str, Callable[[Turn], Cell]] = {
    "role": lambda turn: turn.message.role,
    "content": lambda turn: turn.text,
    "conversation_id": lambda turn: str(turn.conversation.pk),
    "conversation_title": lambda turn: turn.conversation.title,
    "message_id": lambda turn: str(turn.message.pk),
    "parent_id": lambda turn: str(turn.message.parent_id or ""),
    "status": lambda turn: turn.message.status,
    "on_shown_path": lambda turn: turn.number is not None,
    "created_at": lambda turn: turn.message.created_at,
    "finished_at": lambda turn: turn.message.finished_at,
    "assistant": lambda turn: turn.answerer,
    "model_asked": lambda turn: turn.calls[-1].model_asked if turn.calls else None,
    "model_answered": lambda turn: turn.calls[-1].model_answered if turn.calls else None,
    "input_tokens": lambda turn: _counted(turn, "input_tokens"),
    "cached_tokens": lambda turn: _counted(turn, "cached_tokens"),
    "output_tokens": lambda turn: _counted(turn, "output_tokens"),
    "reasoning_tokens": lambda turn: _counted(turn, "reasoning_tokens"),
    "usage_source": lambda turn: usage_source(turn),
    "cost_usd": lambda turn: cost(turn),
    "first_text_ms": lambda turn: first_text_ms(turn),
    "rating": lambda turn: turn.rating.rating if turn.rating else None,
    "rating_reason": lambda turn: turn.rating.reason if turn.rating else None,
    "files": lambda turn: "; ".join(map(_file, turn.files)),
    "error_code": lambda turn: turn.message.error_code,
    "error_text": lambda turn: turn.message.error_text,
    "finish_reason": lambda turn: turn.calls[-1].finish_reason if turn.calls else None,
    "model_calls": lambda turn: len(turn.calls) if not turn.is_prompt else None,
    "version": lambda turn: turn.place.version,
    "versions": lambda turn: turn.place.versions,
    "copy_of": lambda turn: str(turn.message.copy_of_id or ""),
    "supplied": lambda turn: turn.message.is_supplied,
    "conversation_state": lambda turn: turn.conversation.state,
}


def csv_pieces(chosen: Chosen) -> Generator[bytes, None, None]:
    """Yield a table with a line for each message, of the whole tree, as RFC 4180 has it, in UTF-8 with its mark.

    No cell is taken for a formula: see `inert`. That changes such texts; the export that keeps each character is JSONL.
    """
    buffer = io.StringIO(newline="")
    buffer.write(BYTE_ORDER_MARK)
    table = csv.writer(buffer, lineterminator="\r\n")
    table.writerow(COLUMNS)
    for turn in read_turns(chosen):
        table.writerow([inert(_written(value(turn))) for value in COLUMNS.values()])
        if buffer.tell() > PIECE:
            yield buffer.getvalue().encode()
            buffer.seek(0)
            buffer.truncate()
    if rest := buffer.getvalue():
        yield rest.encode()


def inert(cell: str) -> str:
    """Return a cell that no spreadsheet runs: with an apostrophe before it where it would begin a formula.

    That is where it begins with a tab or line break, or where the first character that can be seen is = + - or @, or
    one that stands for these: full-width, small or raised.
    """
    if cell[:1].isascii() and cell[:1].isalnum():  # as most do
        return cell
    if cell[:1] in ("\t", "\r", "\n"):
        return f"'{cell}"
    first = next((character for character in cell if not is_blank(character)), "")
    return f"'{cell}" if unicodedata.normalize("NFKC", first)[:1] in _FORMULA else cell


def usage_source(turn: Turn) -> str:
    """Say how far the tokens can be trusted: exact, estimated, partial (not told of every call), or nothing."""
    usage = turn.usage
    if usage is None or not usage.has_usage or (usage.is_uncounted and not usage.tokens):
        return ""
    if usage.is_uncounted:
        return "partial"
    return "estimated" if usage.is_estimated else "exact"


def cost(turn: Turn) -> Decimal | None:
    """Return US dollars; None where the cost of any call is unknown, 0 for a model that costs nothing."""
    usage = turn.usage
    if usage is None or not usage.has_usage or usage.is_unpriced:
        return None
    return Decimal(0) if usage.is_free else usage.cost


def first_text_ms(turn: Turn) -> int | None:
    """Return the time from the first request to the first text of an answer, over all its calls."""
    began = min((call.started_at for call in turn.calls if call.started_at), default=None)
    spoke = min((call.first_text_at for call in turn.calls if call.first_text_at), default=None)
    return round((spoke - began).total_seconds() * 1000) if began and spoke else None


def _counted(turn: Turn, name: str) -> int | None:
    usage = turn.usage
    return getattr(usage, name) if usage and usage_source(turn) else None


def _file(file: Attachment) -> str:
    return f"{file.name} ({file.address if file.state == Attachment.State.READY else file.state})"


def _written(value: Cell) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case datetime.datetime():
            return value.astimezone(datetime.UTC).isoformat()
        case Decimal():
            return f"{value:f}"
    return str(value)
