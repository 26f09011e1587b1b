"""The rail: a person's conversations, newest first, by day."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from conversations.models import Conversation

if TYPE_CHECKING:
    from accounts.models import User

PAGE = 100


@dataclass(frozen=True, slots=True)
class Day:
    label: str
    conversations: list[Conversation]


@dataclass(frozen=True, slots=True)
class History:
    """One page of the rail. `older` is the cursor of the next page, None at the end."""

    days: list[Day]
    older: UUID | None
    is_newest: bool


def read_history(user: User, *, before: str = "") -> History:
    """Return up to 100 conversations: the newest, or those that come after `before` (an id; nonsense is ignored)."""
    rows = Conversation.objects.visible_to(user).recent().only("id", "title", "last_activity_at")
    cursor = _cursor(user, before)
    if cursor is not None:
        at = cursor.last_activity_at
        rows = rows.filter(Q(last_activity_at__lt=at) | Q(last_activity_at=at, id__lt=cursor.pk))
    page = list(rows[: PAGE + 1])
    older = page[PAGE - 1].pk if len(page) > PAGE else None
    today = timezone.localdate()
    days = groupby(page[:PAGE], key=lambda row: day_label(timezone.localdate(row.last_activity_at), today))
    return History([Day(label, list(rows)) for label, rows in days], older, cursor is None)


def day_label(day: datetime.date, today: datetime.date) -> str:
    """Name a day the way people do: today, yesterday, the weekday within a week, then the month."""
    age = (today - day).days
    if age <= 0:
        return "Today"
    if age == 1:
        return "Yesterday"
    if age < 7:
        return f"{day:%A}"
    return f"{day:%B}" if day.year == today.year else f"{day:%B %Y}"


def _cursor(user: User, before: str) -> Conversation | None:
    try:
        return Conversation.objects.visible_to(user).filter(pk=UUID(before)).first()
    except ValueError:
        return None
