"""JSON as strictly as RFC 8259 and I-JSON (RFC 7493) mean it: what two readers could read differently is refused."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from rest_framework.parsers import BaseParser

from rest.problems import Problem

MAX_DEPTH = 32


class StrictJSONParser(BaseParser):
    """Reads a JSON object of at most API_MAX_BODY_BYTES."""

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Return the object. Raises Problem: 413 for what is too large, 400 with the reason for everything else."""
        return read_object(read_body(stream))


def read_body(stream: IO[Any]) -> bytes:
    """Return a body of at most API_MAX_BODY_BYTES. Raises Problem (413)."""
    limit: int = settings.API_MAX_BODY_BYTES
    body: bytes = stream.read(limit + 1)
    if len(body) > limit:
        raise too_large(limit)
    return body


def too_large(limit: int) -> Problem:
    """Return the problem of a body over `limit` bytes."""
    return Problem(413, "too_large", f"The body is too large; it may have {limit:,} bytes.")


def read_object(body: bytes) -> dict[str, Any]:
    """Return the JSON object that these bytes hold. Raises Problem (400) that says what is wrong with them."""
    try:
        text = body.decode()
    except UnicodeDecodeError as wrong:
        raise _bad(f"The body is not UTF-8: byte {wrong.start} cannot be read.") from None
    try:
        value = json.loads(text, object_pairs_hook=_object, parse_constant=_constant, parse_float=_float)
    except RecursionError:
        raise _too_deep() from None
    except json.JSONDecodeError as wrong:
        raise _bad(f"The body is no JSON: {wrong.msg} (line {wrong.lineno}, column {wrong.colno}).") from None
    except ValueError:
        raise _bad("The body holds a number with too many digits.") from None
    if not isinstance(value, dict):
        raise _bad("The body must be a JSON object: { … }.")
    _check(value)
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise _bad(f"The key “{_readable(name)}” stands twice in one object.", code="duplicate_key")
        found[name] = value
    return found


def _constant(name: str) -> float:
    raise _bad(f"{name} is no JSON number.")


def _float(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise _bad(f"{digits[:40]} is too large for a number.")
    return number


def _check(value: dict[str, Any]) -> None:
    """Look at all that is nested, without recursion: depth, and characters that no UTF-8 can hold."""
    rest: list[tuple[Any, int]] = [(value, 1)]
    while rest:
        item, depth = rest.pop()
        if isinstance(item, str):
            _check_text(item)
        elif isinstance(item, dict | list):
            if depth > MAX_DEPTH:
                raise _too_deep()
            if isinstance(item, dict):
                rest.extend((key, depth) for key in item)
                rest.extend((inner, depth + 1) for inner in item.values())
            else:
                rest.extend((inner, depth + 1) for inner in item)


def _check_text(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as wrong:
        code = ord(text[wrong.start])
        raise _bad(f"A text holds half of a character (U+{code:04X}), which no UTF-8 can hold.") from None


def _too_deep() -> Problem:
    return _bad(f"The body is nested deeper than {MAX_DEPTH} levels.", code="too_deep")


def _bad(detail: str, *, code: str = "malformed") -> Problem:
    return Problem(400, code, detail)


def _readable(text: str) -> str:
    return text[:60].encode(errors="replace").decode()
