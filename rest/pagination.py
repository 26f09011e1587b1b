"""Lists in pages that begin where the last one ended, whatever has been written meanwhile."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.core import signing
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import F, Model, Q, QuerySet
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from rest.problems import FieldError, invalid

DEFAULT_LIMIT, MOST = 50, 200
PAGE_PARAMETERS = [
    OpenApiParameter(
        "limit",
        {"type": "integer", "minimum": 1, "maximum": MOST, "default": DEFAULT_LIMIT},
        description="Most rows of a page.",
    ),
    OpenApiParameter("cursor", str, description="Where the page begins: from `next` or `previous` of another page."),
]


class CursorPages:
    """The page of a list that a request asks for by `limit` and `cursor`.

    `ordering` names columns that are never null and in which, together, no two rows are alike, each with `-` or each
    without. A cursor is signed for its person and its list.

    Raises Problem (400) for a limit or cursor that cannot be used.
    """

    def __init__(self, request: Request, *, ordering: Sequence[str] = ("-created_at", "-id")) -> None:
        self._request = request
        self._names = [name.lstrip("-") for name in ordering]
        self._is_falling = ordering[0].startswith("-")
        self._signer = signing.Signer(salt=f"rest.cursor.{request.path_info}.{request.user.pk}")
        self.limit = _limit(request)
        self._is_back, self._edge = self._read(request.query_params.get("cursor", ""))
        self.next: str | None = None
        self.previous: str | None = None

    def of[Row: Model](self, rows: QuerySet[Row]) -> list[Row]:
        """Return the rows of the page, in order. One query."""
        is_falling = self._is_falling != self._is_back
        order = [F(name).desc() if is_falling else F(name).asc() for name in self._names]
        if self._edge is not None:
            rows = rows.filter(_beyond(self._names, self._edge, "lt" if is_falling else "gt"))
        found = list(rows.order_by(*order)[: self.limit + 1])
        has_more, found = len(found) > self.limit, found[: self.limit]
        if self._is_back:
            found.reverse()
        if found:
            if has_more or self._is_back:
                self.next = self._address(found[-1], is_back=False)
            if (self._edge is not None and not self._is_back) or (self._is_back and has_more):
                self.previous = self._address(found[0], is_back=True)
        return found

    def answer(self, results: Sequence[Any]) -> Response:
        """Return the answer with these results, which stand for the rows of the page."""
        return Response({"results": results, "next": self.next, "previous": self.previous})

    def _address(self, row: Model, *, is_back: bool) -> str:
        edge = json.dumps([is_back, *(_value(row, name) for name in self._names)], cls=DjangoJSONEncoder)
        parameters = self._request.query_params.copy()
        parameters["cursor"] = self._signer.sign_object(edge)
        return self._request.build_absolute_uri(f"{self._request.path}?{urlencode(list(parameters.items()))}")

    def _read(self, cursor: str) -> tuple[bool, list[Any] | None]:
        if not cursor:
            return False, None
        try:
            is_back, *edge = json.loads(self._signer.unsign_object(cursor))
        except signing.BadSignature:
            raise invalid([FieldError(field="cursor", message="This is no cursor of this list.")]) from None
        return is_back, edge


def _limit(request: Request) -> int:
    text = request.query_params.get("limit", str(DEFAULT_LIMIT))
    if not text.isascii() or not text.isdigit() or len(text) > 4 or not 1 <= int(text) <= MOST:
        raise invalid([FieldError(field="limit", message=f"This must be a whole number from 1 to {MOST}.")])
    return int(text)


def _value(row: Model, path: str) -> Any:
    value: Any = row
    for name in path.split("__"):
        value = getattr(value, name)
    return value.isoformat() if hasattr(value, "isoformat") else value


def _beyond(names: Sequence[str], edge: Sequence[Any], sign: str) -> Q:
    """Return the condition for rows beyond the edge. The first part alone tells an index where to begin."""
    beyond = Q()
    for depth in range(len(names)):
        same = Q(**dict(zip(names[:depth], edge[:depth], strict=True)))
        beyond |= same & Q(**{f"{names[depth]}__{sign}": edge[depth]})
    return Q(**{f"{names[0]}__{sign}e": edge[0]}) & beyond
