"""Files of prompts: JSON lines or CSV, read whole and strictly. One bad line and nothing of the file is taken."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, NoReturn

from django.conf import settings

from batches.models import MOST_BYTES, MOST_LINES, BatchItem
from conversations.services import Refusal, Refused
from conversations.services.sending import accepted
from conversations.text import REPLACEMENT, clean_text, is_blank

MOST_TOLD = 20  # bad lines that are named
MOST_SHOWN = 40  # characters of what somebody else wrote, in a sentence
COLUMNS = ("custom_id", "prompt")
_ENDS = "This is no CSV: its lines must end in line feeds, with carriage returns before them or without."
csv.field_size_limit(max(csv.field_size_limit(), MOST_BYTES))  # of the whole process; a prompt is checked by itself
_ID_CHARACTERS = BatchItem._meta.get_field("custom_id").max_length or 0


@dataclass(frozen=True, slots=True)
class Line:
    """A prompt of a file: the line that it begins on, counted from 1, what it is known by, and the text."""

    number: int
    custom_id: str
    prompt: str


class Unreadable(Exception):
    """A file that cannot be taken. `problems` are sentences, each of a line with its number where it is about one."""

    def __init__(self, *problems: str) -> None:
        super().__init__(problems[0])
        self.problems = problems


class _BadLine(Exception):
    """What is wrong with one line."""


def read_lines(file: BinaryIO, *, name: str, size: int) -> list[Line]:
    """Return the prompts of a file, whose name tells which form it has: .jsonl or .csv. Raises Unreadable.

    JSON lines are objects with `prompt` and, where its owner wants to know it again, `custom_id`; a table has these
    columns, separated by commas or semicolons. Empty lines are passed over. A prompt without a `custom_id` is known by
    the number of its line.
    """
    form = _FORMS.get(name.lower().rpartition(".")[2]) if "." in name else None
    if form is None:
        raise Unreadable("The file's name must end in .jsonl (JSON lines) or .csv (a table).")
    if size > MOST_BYTES:
        raise Unreadable(
            f"The file has {size / 1_000_000:.1f} MB; a batch may have {MOST_BYTES // 1_000_000} MB. Divide it."
        )
    return _Reader().read(form(file))


type _Found = tuple[int, Callable[[], dict[str, object]]]
"""The number of a line, and what gives its fields or raises _BadLine."""


class _Reader:
    """Takes lines, and keeps what is wrong with them."""

    def __init__(self) -> None:
        self._lines: list[Line] = []
        self._first: dict[str, int] = {}
        self._problems: list[str] = []
        self._bad = 0

    def read(self, found: Iterable[_Found]) -> list[Line]:
        for number, fields in found:
            try:
                self._take(number, fields())
            except _BadLine as problem:
                self._bad += 1
                if self._bad <= MOST_TOLD:
                    self._problems.append(f"Line {number:,}: {problem}")
            if len(self._lines) + self._bad > MOST_LINES:
                raise Unreadable(f"The file has more than {MOST_LINES:,} prompts; a batch may have so many. Divide it.")
        if self._bad > MOST_TOLD:
            self._problems.append(f"{self._bad - MOST_TOLD:,} more lines cannot be taken either.")
        if self._problems:
            raise Unreadable(*self._problems)
        if not self._lines:
            raise Unreadable("The file has no prompts.")
        return self._lines

    def _take(self, number: int, fields: dict[str, object]) -> None:
        unknown = [key for key in fields if key not in COLUMNS]
        if unknown:
            raise _BadLine(f"“{_shown(unknown[0])}” is not known; a line has “prompt” and may have “custom_id”.")
        if "prompt" not in fields:
            raise _BadLine("“prompt” is missing.")
        prompt = _prompt(fields["prompt"])
        custom_id = _custom_id(fields["custom_id"]) if "custom_id" in fields else str(number)
        earlier = self._first.setdefault(custom_id, number)
        if earlier != number:
            raise _BadLine(f"“custom_id” is “{_shown(custom_id)}”, as in line {earlier:,}.")
        self._lines.append(Line(number, custom_id, prompt))


def _prompt(value: object) -> str:
    if not isinstance(value, str):
        raise _BadLine("“prompt” must be text.")
    try:
        return accepted(value)
    except Refused as refused:
        if refused.code == Refusal.EMPTY:
            raise _BadLine("“prompt” is empty.") from refused
        most = settings.MAX_PROMPT_CHARS
        raise _BadLine(f"“prompt” has {len(value):,} characters; at most {most:,} can be sent.") from refused


def _custom_id(value: object) -> str:
    if not isinstance(value, str):
        raise _BadLine("“custom_id” must be text.")
    if is_blank(value):
        raise _BadLine("“custom_id” is empty.")
    if len(value) > _ID_CHARACTERS:
        raise _BadLine(f"“custom_id” has {len(value):,} characters; at most {_ID_CHARACTERS} are kept.")
    if clean_text(value) != value or any(character < " " or character == "\x7f" for character in value):
        raise _BadLine("“custom_id” has characters that are no text.")
    return value


def _json_lines(file: BinaryIO) -> Iterator[_Found]:
    for number, raw in enumerate(file, start=1):
        raw = raw.removeprefix(b"\xef\xbb\xbf") if number == 1 else raw
        if raw.strip():
            yield number, lambda raw=raw: _parsed(raw)  # type: ignore[misc]


def _parsed(raw: bytes) -> dict[str, object]:
    try:
        value = json.loads(_decoded(raw).strip(), object_pairs_hook=_without_twins, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        raise _BadLine(f"This is no JSON: {error.msg}, at column {error.colno:,}.") from error
    except RecursionError as error:
        raise _BadLine("This JSON is nested too deep.") from error
    except ValueError as error:  # a number of thousands of digits
        raise _BadLine("This JSON has a number that is too long.") from error
    if not isinstance(value, dict):
        raise _BadLine("A line must be a JSON object, such as {“prompt”: “…”}.")
    return value


def _without_twins(pairs: list[tuple[str, object]]) -> dict[str, object]:
    fields: dict[str, object] = {}
    for key, value in pairs:
        if key in fields:
            raise _BadLine(f"“{_shown(key)}” stands there twice.")
        fields[key] = value
    return fields


def _no_number(name: str) -> NoReturn:
    raise _BadLine(f"{name} is no JSON.")


def _decoded(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise _BadLine("This is not UTF-8. Save the file as UTF-8.") from error


def _table(file: BinaryIO) -> Iterator[_Found]:
    first = file.readline()
    try:
        heading = _decoded(first.removeprefix(b"\xef\xbb\xbf"))
    except _BadLine as problem:
        raise Unreadable(f"Line 1: {problem}") from problem
    delimiter = ";" if ";" in heading and "," not in heading else ","
    try:
        columns = next(csv.reader([heading], delimiter=delimiter), [])
    except csv.Error as error:  # carriage returns alone end its lines
        raise Unreadable(f"Line 1: {_ENDS}") from error
    _require_columns(columns)
    rows = csv.reader((raw.decode() for raw in file), delimiter=delimiter, strict=True)
    while True:
        number = rows.line_num + 2
        try:
            row = next(rows)
        except StopIteration:
            return
        except (csv.Error, UnicodeDecodeError) as error:
            is_text = isinstance(error, csv.Error)
            words = f"This is no CSV: {error}." if is_text else "This is not UTF-8. Save the file as UTF-8."
            # What follows cannot be told apart from it any more.
            raise Unreadable(f"Line {number:,}: {words}") from error
        if row:
            yield number, lambda row=row: _of_columns(columns, row)  # type: ignore[misc]


def _require_columns(columns: list[str]) -> None:
    unknown = [name for name in columns if name not in COLUMNS]
    if unknown:
        raise Unreadable(
            f"Line 1: there is no column “{_shown(unknown[0])}”; the columns are “custom_id” and “prompt”."
        )
    if len(set(columns)) < len(columns):
        raise Unreadable("Line 1: a column stands there twice.")
    if "prompt" not in columns:
        raise Unreadable("Line 1: the column “prompt” is missing. The first line names the columns.")


def _of_columns(columns: list[str], row: list[str]) -> dict[str, object]:
    if len(row) != len(columns):
        raise _BadLine(f"The first line names {len(columns)}; here there are {len(row)}.")
    return dict(zip(columns, row, strict=True))


def _shown(text: str) -> str:
    """Return the beginning of what stands in a file, to be quoted."""
    shown = "".join(character if character.isprintable() else REPLACEMENT for character in clean_text(text))
    return shown if len(shown) <= MOST_SHOWN else f"{shown[: MOST_SHOWN - 1]}…"


_FORMS = {"jsonl": _json_lines, "ndjson": _json_lines, "csv": _table}
