"""What people are told of others who looked at what is theirs: when, what, which conversation; never who, or why."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING
from uuid import UUID

from django.utils import timezone

from audit.models import AuditEvent
from conversations.models import Conversation

if TYPE_CHECKING:
    from accounts.models import User

DEEDS = {
    "conversation.read": "Read",
    "conversation.listed": "Conversations were listed",
    "message.read": "A message was read",
    "message.listed": "Messages were listed",
    "attachment.read": "What is known of a file was read",
    "attachment.listed": "Files were listed",
    "feedback.read": "A rating was read",
    "feedback.listed": "Ratings were listed",
    "call.read": "A model call was read",
    "file.read": "A file was opened",
    "conversation.searched": "Found in a search",
    "export.written": "Exported",
}
"""The kinds of events that a person is told of, in their words. Claims, holds and rights are none of them."""
EVENTS_OF_A_PAGE = 100


@dataclass(frozen=True, slots=True)
class Reading:
    """What was done with a conversation on a day, and how often; or with what is not one conversation's."""

    day: datetime.date
    last_at: datetime.datetime
    deed: str
    count: int
    conversation_id: str
    conversation: Conversation | None
    """None where it is not one conversation, or its owner has deleted it, or it was removed."""


@dataclass(frozen=True, slots=True)
class Readings:
    """A page of them, the latest first, and where the next page begins."""

    rows: list[Reading]
    before: int | None


def readings_of(user: User, *, before: int | None = None) -> Readings:
    """Return what others did with what belongs to `user`, from the event `before` backwards, in two queries."""
    events = AuditEvent.objects.about(user).filter(kind__in=DEEDS).order_by("-seq")
    if before is not None:
        events = events.filter(seq__lt=before)
    found = list(events[: EVENTS_OF_A_PAGE + 1])
    shown = found[:EVENTS_OF_A_PAGE]
    ids = {_conversation_of(event) for event in shown} - {""}
    titles = {str(one.pk): one for one in Conversation.objects.visible_to(user).filter(pk__in=ids).only("title")}
    rows = []
    for (day, deed, conversation_id), group in groupby(shown, key=_what):
        same = list(group)
        rows.append(Reading(day, same[0].created_at, deed, len(same), conversation_id, titles.get(conversation_id)))
    return Readings(rows, shown[-1].seq if len(found) > len(shown) else None)


def _what(event: AuditEvent) -> tuple[datetime.date, str, str]:
    return timezone.localdate(event.created_at), DEEDS[event.kind], _conversation_of(event)


def _conversation_of(event: AuditEvent) -> str:
    """Return the id of the one conversation that an event tells of; empty where there is none."""
    named = event.object_id if event.object_type == "conversation" else event.details.get("conversation")
    try:
        return str(UUID(str(named or "")))
    except ValueError:
        return ""
