"""Text of all kinds, in the process of the inspector."""

import codecs
import io
import json
from typing import BinaryIO

from conversations.files.kinds import KINDS, Kind
from conversations.files.problems import Unfit
from conversations.files.sniffing import HEAD, sniff

_CHUNK = 1_000_000
# What no text holds; tab, line ends, form feed, escape (of coloured logs) and the end mark of DOS are let be.
_BINARY = bytes(set(range(32)) - set(b"\t\n\r\f\x1b\x1a"))
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_NO_TEXT = "is named like a text but is none. Give it its right extension."


def inspect(file: BinaryIO, kind: Kind) -> None:
    """Raise Unfit unless it is text: UTF-8, UTF-16 with its mark, or one of the older sets of 256 characters.

    JSON must be valid as well. HTML, SVG and XML are not parsed: they stay text.
    """
    file.seek(0)
    head = file.read(HEAD)
    found = sniff(head)
    if found:
        raise Unfit(f"is named like {kind.label} but holds {found}. Give it its right extension.")
    is_wide = head.startswith(_UTF16)
    file.seek(0)
    decoder = codecs.getincrementaldecoder("utf-16")()
    try:
        while chunk := file.read(_CHUNK):
            if is_wide:
                chunk = decoder.decode(chunk).encode()
            if len(chunk.translate(None, _BINARY)) != len(chunk):
                raise Unfit(_NO_TEXT)
        decoder.decode(b"", final=True)
    except UnicodeError as problem:
        raise Unfit(_NO_TEXT) from problem
    if kind is KINDS[".json"]:
        _check_json(file)


def _check_json(file: BinaryIO) -> None:
    """Parse it, keeping no object longer than it is read."""
    file.seek(0, io.SEEK_SET)
    try:
        json.loads(file.read(), object_pairs_hook=lambda pairs: None)
    except json.JSONDecodeError as problem:
        raise Unfit(f"is not valid JSON: see line {problem.lineno}, column {problem.colno}.") from problem
    except ValueError as problem:
        raise Unfit("is not valid JSON.") from problem
