"""Conversations for the list of them, and what pages show of it."""

from __future__ import annotations

import datetime
import re
from typing import Any

from django.utils import timezone

from accounts.models import User
from conversations.models import Assistant, Conversation

LIST, RAIL = "/conversations/", "/conversations/rail/"
HOUR = datetime.timedelta(hours=1)
MARKUP = "<b>Bold</b> & \"quoted\" 'title' {{ 7|add:7 }}"


def add(owner: User, assistant: Assistant, count: int, *, hours: int = 0, **fields: Any) -> list[Conversation]:
    """Conversations, newest first, an hour between them."""
    now = timezone.now() - hours * HOUR
    return Conversation.objects.bulk_create(
        Conversation(
            owner=owner,
            assistant=assistant,
            **{"title": f"Number {number} ", "last_activity_at": now - number * HOUR} | fields,
        )
        for number in range(count)
    )


def titles(html: str) -> list[str]:
    return re.findall(r'<span class="rail-title" id="rail-[0-9a-f-]{36}">(.*?) ?</span>', html)


def shown(response: Any) -> list[str]:
    return titles(response.content.decode())


def numbers(*span: int) -> list[str]:
    return [f"Number {number}" for number in range(*span)]
