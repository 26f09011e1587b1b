"""Pages of lists that are no query: the messages of a path, what a search found."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from rest_framework.request import Request
from rest_framework.utils.urls import replace_query_param

from rest.problems import FieldError, Problem, invalid

_CURSOR = re.compile(r"([ab])(\d{1,9}|[0-9a-f]{32})")


class Slice[Item](NamedTuple):
    """The items of a page, and the addresses of those around it."""

    items: Sequence[Item]
    next: str | None
    previous: str | None

    def answer(self, results: list[dict[str, Any]]) -> dict[str, Any]:
        """Return what a list answers."""
        return {"results": results, "next": self.next, "previous": self.previous}


def page_of_ids(request: Request, ids: Sequence[UUID], *, limit: int, cursor: str) -> Slice[UUID]:
    """Return a page of a path. Its cursors name messages, so that a path that grows is read on without a gap.

    Raises Problem where the cursor is none of ours, or the path leads elsewhere by now.
    """
    side, mark = _read(cursor)
    start = 0
    if mark:
        try:
            place = ids.index(UUID(hex=mark))
        except ValueError:
            words = "This conversation shows another path now. Begin with its first page again."
            raise invalid([FieldError(field="cursor", message=words)]) from None
        start = place + 1 if side == "a" else max(place - limit, 0)
        limit = limit if side == "a" else place - start
    chosen = ids[start : start + limit]
    is_more = start + limit < len(ids)
    return Slice(
        chosen,
        _address(request, f"a{chosen[-1].hex}") if chosen and is_more else None,
        _address(request, f"b{chosen[0].hex}") if chosen and start else None,
    )


def page_of_hits[Item](request: Request, hits: Sequence[Item], *, limit: int, cursor: str) -> Slice[Item]:
    """Return a page of what a search found, by its place. Raises Problem where the cursor is none of ours."""
    _, mark = _read(cursor)
    if len(mark) == 32:
        raise _bad()
    start = int(mark or 0)
    return Slice(
        hits[start : start + limit],
        _address(request, f"a{start + limit}") if start + limit < len(hits) else None,
        _address(request, f"a{max(start - limit, 0)}") if start else None,
    )


def _read(cursor: str) -> tuple[str, str]:
    if not cursor:
        return "a", ""
    try:
        found = _CURSOR.fullmatch(base64.urlsafe_b64decode(cursor.encode()).decode())
    except (binascii.Error, ValueError):
        raise _bad() from None
    if found is None:
        raise _bad()
    return found[1], found[2]


def _address(request: Request, cursor: str) -> str:
    written = base64.urlsafe_b64encode(cursor.encode()).decode()
    return str(replace_query_param(request.build_absolute_uri(), "cursor", written))


def _bad() -> Problem:
    return invalid([FieldError(field="cursor", message="This is no cursor of this list.")])
