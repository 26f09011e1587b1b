"""Conversations to search among, and what pages show as found."""

from __future__ import annotations

import datetime
import re
from typing import Any

from django.utils import timezone

from accounts.models import User
from conversations.models import Assistant, Conversation
from conversations.services import index_messages

FIND = "/conversations/find/"
DAY = datetime.timedelta(days=1)


def day(after: int = 0) -> str:
    """Return a day as pages write it, so many days after today."""
    return f"{timezone.localdate() + after * DAY}"


def found(response: Any) -> list[str]:
    """Return the titles of the lines."""
    return re.findall(r'<a class="line-title"\s+href=".+?">(.+?)</a>', response.content.decode())


def add(owner: User, assistant: Assistant, count: int, *, title: str = "Number", **fields: Any) -> None:
    """Conversations, newest first, a day between them."""
    now = timezone.now()
    Conversation.objects.bulk_create(
        Conversation(
            owner=owner, assistant=assistant, title=f"{title} {number}", last_activity_at=now - number * DAY, **fields
        )
        for number in range(count)
    )


def index() -> None:
    while index_messages():
        pass
