"""The rail, for every page, and pieces of it for htmx."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.exceptions import BadRequest
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from conversations.history import RAIL_PAGE, BadCursor, Rail, read_rail
from conversations.views.access import SignedInRequest, signed_in

MOST_AT_ONCE = 500  # lines that are drawn anew


def rail_of(request: SignedInRequest, *, count: int = RAIL_PAGE) -> Rail:
    """Return the rail, from where `?before=` says. Raises BadRequest where that is no cursor of ours."""
    try:
        return read_rail(request.user, before=request.GET.get("before", ""), count=count)
    except BadCursor:
        raise BadRequest("This is no place in your list.") from None


@require_safe
@signed_in
def rail(request: SignedInRequest) -> HttpResponse:
    """A piece of the rail: the lines after a cursor, or its first `?count=` lines as they now stand."""
    context: dict[str, Any] = {"history": rail_of(request, count=_count(request)), "open_id": _open_id(request)}
    if request.GET.get("before"):
        return render(request, "conversations/_older.html", context | {"day_shown": request.GET.get("day", "")})
    return render(request, "conversations/_history.html", context)


def _count(request: SignedInRequest) -> int:
    text = request.GET.get("count", "")
    is_number = text.isascii() and text.isdigit() and len(text) < 6
    return min(max(int(text), RAIL_PAGE), MOST_AT_ONCE) if is_number else RAIL_PAGE


def _open_id(request: SignedInRequest) -> UUID | None:
    """The conversation that the page shows, marked where it is in the list; nonsense marks nothing."""
    try:
        return UUID(request.GET.get("open", ""))
    except ValueError:
        return None
