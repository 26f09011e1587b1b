"""Conversations as filters leave them, and those that were deleted: a page at a time."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from conversations.history.cursors import Cursor
from conversations.models import Assistant, Conversation
from conversations.models.conversation import ConversationQuerySet
from conversations.periods import midnight

if TYPE_CHECKING:
    from accounts.models import User

PAGE = 50
LOOKED_AT = 500  # of the newest conversations, for the assistants in them


class KnownAssistant(NamedTuple):
    """What a filter needs to know of an assistant."""

    id: int
    slug: str
    name: str


@dataclass(frozen=True, slots=True)
class Filters:
    """What to leave out. Days are those of the site's time zone, the last one included."""

    assistant_id: int | None = None
    since: datetime.date | None = None
    until: datetime.date | None = None

    def of(self, rows: ConversationQuerySet) -> ConversationQuerySet:
        """Return the conversations that were last active within them."""
        if self.assistant_id is not None:
            rows = rows.filter(assistant_id=self.assistant_id)
        if self.since is not None:
            rows = rows.filter(last_activity_at__gte=midnight(self.since))
        if self.until is not None:
            rows = rows.filter(last_activity_at__lt=midnight(self.until + datetime.timedelta(days=1)))
        return rows


@dataclass(frozen=True, slots=True)
class ConversationPage:
    """Some conversations. `older` is the cursor of what follows, empty at the end."""

    conversations: list[Conversation]
    older: str


def list_conversations(user: User, filters: Filters, *, after: str = "") -> ConversationPage:
    """Return a page of what `user` sees, last active first, with the assistants. Raises BadCursor."""
    rows = filters.of(Conversation.objects.visible_to(user)).order_by("-last_activity_at", "-id")
    return _page(rows, user, "last_activity_at", after)


def list_deleted(user: User, *, after: str = "") -> ConversationPage:
    """Return a page of what `user` deleted and can have back, last deleted first. Raises BadCursor."""
    rows = Conversation.objects.restorable_by(user).order_by("-hidden_at", "-id")
    return _page(rows, user, "hidden_at", after)


def assistants_of(user: User) -> list[KnownAssistant]:
    """Return the assistants to filter by: those open to `user` now, and those of their newest 500 conversations.

    So one that was retired can be asked for as well, without reading ten years of conversations for each page.
    """
    newest = Conversation.objects.visible_to(user).recent()
    used = newest.values_list("assistant_id", "assistant__slug", "assistant__name")[:LOOKED_AT]
    offered = Assistant.objects.visible_to(user).values_list("id", "slug", "name")
    known = {*used, *offered}
    return sorted((KnownAssistant(*row) for row in known), key=lambda known: (known.name.casefold(), known.id))


def _page(rows: ConversationQuerySet, user: User, time: str, after: str) -> ConversationPage:
    cursor = Cursor.read(after, user, time)
    if cursor is not None:
        rows = rows.filter(cursor.rows_after(time))
    page = list(rows.select_related("assistant").defer("assistant__instructions")[: PAGE + 1])
    if len(page) <= PAGE:
        return ConversationPage(page, "")
    last = page[PAGE - 1]
    return ConversationPage(page[:PAGE], Cursor(getattr(last, time), last.pk).write(user, time))
