"""What all views of the record share: what the address asks, whose rows are read, pages, and who is told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from django.db.models import Model, QuerySet
from django.http import Http404
from rest_framework.response import Response

from conversations.api.reading import Door, note_listed, note_read, rows_of
from conversations.api.serializers.fields import Answer
from rest.pagination import DEFAULT_LIMIT, CursorPages
from rest.problems import FieldError, invalid
from rest.serializers import StrictSerializer
from rest.views import ResourceView

type Shown = list[dict[str, Any]]


class Asked(dict[str, Any]):
    """What an address asks, checked. Of what it leaves out nothing is there."""

    @property
    def everyone(self) -> bool:
        """Whether what others wrote is asked for."""
        return bool(self.get("everyone"))

    @property
    def limit(self) -> int:
        """The most rows of a page."""
        return int(self.get("limit", DEFAULT_LIMIT))

    @property
    def cursor(self) -> str:
        """Where the page begins; empty: at the beginning."""
        return str(self.get("cursor", ""))

    @property
    def only(self) -> list[str] | None:
        """The fields that are wanted; None: all."""
        return self.get("only")

    def given(self, **columns: str) -> dict[str, Any]:
        """Return conditions of a query: of each column that a parameter asks for."""
        return {column: self[name] for name, column in columns.items() if name in self}


class Asking(ResourceView):
    """A resource of the record, read by whose it is and, with `everyone=true`, by who may review."""

    def asked(self, query: type[StrictSerializer], shown: type[Answer] | None = None) -> Asked:
        """Return what the address asks, as `query` allows; `shown` tells which fields there are.

        Raises ValidationError and Problem (400) for what is wrong. An empty value is no value that was left out.
        """
        serializer = query(data=self.request.query_params.dict(), context={"view": self, "is_text": True})
        serializer.is_valid(raise_exception=True)
        asked = Asked(serializer.validated_data)
        if shown is not None and "fields" in asked:
            asked["only"] = _only(asked["fields"], shown)
        return asked

    def rows[Rows: QuerySet](self, door: Door[Rows], asked: Asked) -> Rows:  # type: ignore[type-arg]
        """Return the rows that this request may read. Raises Problem (403)."""
        return rows_of(door, self.user, self.access, everyone=asked.everyone)

    def one[Row: Model](self, rows: QuerySet[Row], pk: UUID) -> Row:
        """Return one of these rows. Raises Http404."""
        found = rows.filter(pk=pk).first()
        if found is None:
            raise Http404
        return found

    def page[Row: Model](
        self,
        rows: QuerySet[Row],
        order: Sequence[str],
        show: Callable[[list[Row]], Shown],
        *,
        kind: str = "",
        owner: str = "owner_id",
    ) -> Response:
        """Answer a page of rows. The audit is told (`kind`) of those that are others', before they are shown."""
        pages = CursorPages(self.request, ordering=order)
        found = pages.of(rows)
        if kind:
            self.note_listed(kind, [getattr(row, owner) for row in found])
        return pages.answer(show(found))

    def note_listed(self, kind: str, owners: Sequence[int]) -> None:
        """Tell the audit of a page that shows rows of others."""
        note_listed(self.user, self.access, kind=kind, owners=owners)

    def note_read(
        self, kind: str, row: Model, *, owner_id: int, conversation_id: UUID | None = None, count: int | None = None
    ) -> None:
        """Tell the audit that something of somebody else is read."""
        note_read(
            self.user,
            self.access,
            kind=kind,
            object_type=row._meta.model_name or "",
            object_id=row.pk,
            owner_id=owner_id,
            conversation_id=conversation_id,
            count=count,
        )


def _only(names: str, shown: type[Answer]) -> list[str]:
    known = shown.names()
    wanted = [name.strip() for name in names.split(",")]
    unknown = [name for name in wanted if name not in known]
    if unknown:
        words = f"There is no field “{unknown[0]}”. These can be had: {', '.join(known)}."
        raise invalid([FieldError(field="fields", message=words)])
    return wanted
