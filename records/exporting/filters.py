"""Which conversations an export takes, as it is written into its row: ids and days, no names."""

from __future__ import annotations

import datetime
from dataclasses import asdict, dataclass
from typing import Any, Self

from django.contrib.auth import get_user_model
from django.db.models import Exists, Model, OuterRef, Q, QuerySet

from conversations.models import Conversation
from conversations.periods import midnight
from records.models import Review, Tombstone

ANY_VERDICT = "any"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportFilters:
    """All that are given have to hold. Days are those of the server's zone, the last one included."""

    first_day: datetime.date | None = None
    last_day: datetime.date | None = None
    owner: int | None = None
    group: int | None = None
    assistant: int | None = None
    state: str = ""
    verdict: str = ""
    """What a review found, or ANY_VERDICT."""

    def as_json(self) -> dict[str, Any]:
        """Return what is given, as the row and the manifest hold it."""
        given = {name: value for name, value in asdict(self).items() if value not in (None, "")}
        return {name: value.isoformat() if isinstance(value, datetime.date) else value for name, value in given.items()}

    @classmethod
    def from_json(cls, given: dict[str, Any]) -> Self:
        """Return what `as_json` wrote."""
        days: dict[str, Any] = {
            name: datetime.date.fromisoformat(given[name]) for name in ("first_day", "last_day") if name in given
        }
        return cls(**given | days)

    def conversations(self, *, asked_at: datetime.datetime) -> QuerySet[Conversation]:
        """Return what is taken of that which had begun by then, oldest first.

        A conversation is of a period when it began before the period's end and something was said since its beginning.
        """
        rows = kept(Conversation).filter(self._period(), self._whose(), created_at__lte=asked_at)
        if self.state:
            rows = rows.filter(state=self.state)
        if self.verdict:
            found = Review.objects.filter(conversation=OuterRef("pk"), state=Review.State.DONE)
            rows = rows.filter(Exists(found if self.verdict == ANY_VERDICT else found.filter(verdict=self.verdict)))
        return rows.order_by("pk")

    def tombstones(self) -> QuerySet[Tombstone]:
        """Return what is left of those that were removed. What reviews found of them is not known any more."""
        rows = Tombstone.objects.filter(self._period(), self._whose())
        if self.state:
            rows = rows.filter(concluded_at__isnull=self.state == Conversation.State.OPEN)
        return rows.none() if self.verdict else rows.order_by("pk")

    def _period(self) -> Q:
        wanted = Q()
        if self.first_day is not None:
            wanted &= Q(last_activity_at__gte=midnight(self.first_day))
        if self.last_day is not None:
            wanted &= Q(created_at__lt=midnight(self.last_day + datetime.timedelta(days=1)))
        return wanted

    def _whose(self) -> Q:
        wanted = Q()
        if self.owner is not None:
            wanted &= Q(owner_id=self.owner)
        if self.group is not None:
            wanted &= Q(owner_id__in=get_user_model().objects.filter(groups=self.group).values("pk"))
        if self.assistant is not None:
            wanted &= Q(assistant_id=self.assistant)
        return wanted


def kept(table: type[Model]) -> QuerySet[Any]:
    """Return the rows of everybody, hidden ones included; the manager of conversations leaves out what is removed."""
    rows: QuerySet[Any] = table._default_manager.all()
    return rows
