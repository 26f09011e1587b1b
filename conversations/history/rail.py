"""The rail: what is pinned, then everything else by day, newest first."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.utils import timezone

from conversations.history.cursors import Cursor
from conversations.models import Conversation, Message
from conversations.models.conversation import IN_RAIL, MOST_PINNED, ConversationQuerySet

if TYPE_CHECKING:
    from accounts.models import User

PAGE = 50
_MOST_SHOWN = 2 * MOST_PINNED  # pins in several tabs at once may be a few too many
_LIST = "rail"
_COLUMNS = (
    "id",
    "title",
    "last_activity_at",
    "pinned_at",
    "seen_at",
    "current_leaf__status",
    "current_leaf__finished_at",
)


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the rail. `mark` says what goes on: running, unread (an answer ended since its owner looked), or ""."""

    id: UUID
    title: str
    mark: str


@dataclass(frozen=True, slots=True)
class Day:
    key: str
    label: str
    entries: list[Entry]


@dataclass(frozen=True, slots=True)
class Rail:
    """A piece of the rail. `older` is the cursor of what follows, empty at the end."""

    pinned: list[Entry]
    days: list[Day]
    older: str
    is_newest: bool

    @property
    def last_day(self) -> str:
        """The key of the day that what follows may belong to."""
        return self.days[-1].key if self.days else ""

    @property
    def is_empty(self) -> bool:
        return not (self.pinned or self.days)


def read_rail(user: User, *, before: str = "", count: int = PAGE) -> Rail:
    """Return the `count` newest conversations of `user` with the pinned ones, or those after the cursor `before`.

    Those that batches began are left out until their owner looks at them or says more in them; lists and searches have
    them. One query, as it stands on every page. Raises BadCursor.
    """
    cursor = Cursor.read(before, user, _LIST)
    others = others_in_rail(user)
    if cursor is None:
        pinned = (
            Conversation.objects.visible_to(user)
            .filter(pinned_at__isnull=False)
            .order_by("-pinned_at")
            .values_list(*_COLUMNS)[:_MOST_SHOWN]
        )
        page = list(pinned.union(others.values_list(*_COLUMNS)[: count + 1], all=True))
    else:
        page = list(others.filter(cursor.rows_after("last_activity_at")).values_list(*_COLUMNS)[: count + 1])
    # A union has no order of its own.
    on_top = sorted((row for row in page if row[3]), key=lambda row: row[3], reverse=True)
    by_time = sorted((row for row in page if not row[3]), key=lambda row: (row[2], row[0]), reverse=True)
    older = Cursor(by_time[count - 1][2], by_time[count - 1][0]).write(user, _LIST) if len(by_time) > count else ""
    return Rail([_entry(row) for row in on_top], _days(by_time[:count]), older, is_newest=cursor is None)


def others_in_rail(user: User) -> ConversationQuerySet:
    """Return what stands below the pinned ones, newest first."""
    return Conversation.objects.visible_to(user).filter(IN_RAIL, pinned_at__isnull=True).recent()


def _days(rows: Iterable[tuple[Any, ...]]) -> list[Day]:
    today = timezone.localdate()
    grouped = groupby(rows, key=lambda row: name_day(timezone.localdate(row[2]), today))
    return [Day(key, label, [_entry(row) for row in rows]) for (key, label), rows in grouped]


def _entry(row: tuple[Any, ...]) -> Entry:
    pk, title, _, _, seen_at, status, finished_at = row
    if status in Message.RUNNING:
        return Entry(pk, title, "running")
    return Entry(pk, title, "unread" if seen_at and finished_at and finished_at > seen_at else "")


def name_day(day: datetime.date, today: datetime.date) -> tuple[str, str]:
    """Return a key for a day and its name as people say it: today, yesterday, the weekday within a week, the month."""
    age = (today - day).days
    if age >= 7:
        return f"{day:%Y-%m}", f"{day:%B}" if day.year == today.year else f"{day:%B %Y}"
    if age <= 0:
        return f"{today}", "Today"
    return f"{day}", "Yesterday" if age == 1 else f"{day:%A}"
