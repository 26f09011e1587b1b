"""Things that were said, as rows, and what a search finds of them."""

from __future__ import annotations

import datetime
from typing import Any

from django.utils import timezone

from accounts.models import User
from conversations.models import Assistant, AttachmentText, Conversation, Message
from conversations.search import Found, search_messages
from conversations.services import index_messages
from tests.factories import make_assistant, make_file


def say(
    owner: User,
    *texts: str,
    title: str = "Untitled",
    assistant: Assistant | None = None,
    at: datetime.datetime | None = None,
    **fields: Any,
) -> list[Message]:
    """A conversation of prompts and answers in turn; return its messages."""
    at = at or timezone.now()
    conversation = Conversation.objects.create(
        owner=owner, assistant=assistant or make_assistant(), title=title, created_at=at, last_activity_at=at, **fields
    )
    said: list[Message] = []
    for number, text in enumerate(texts):
        said.append(
            Message.objects.create(
                conversation=conversation,
                owner=owner,
                parent=said[-1] if said else None,
                role="assistant" if number % 2 else "user",
                status="completed",
                text=text,
                created_at=at,
            )
        )
    Conversation.objects.filter(pk=conversation.pk).update(current_leaf=said[-1])
    return said


def attach(message: Message, text: str, *, name: str = "notes.txt") -> None:
    """A file whose text has been read."""
    file = make_file(message.owner, message=message, data=b"x", name=name, content_type="text/plain", is_read=True)
    AttachmentText.objects.create(attachment=file, text=text)


def find(owner: User, query: str, **options: Any) -> Found:
    """Index what is not indexed yet, and search."""
    index_messages()
    return search_messages(owner, query, **options)


def texts(found: Found) -> list[str]:
    """The texts of the messages found, in their order."""
    by_id = Message.objects.in_bulk([hit.message_id for hit in found.hits])
    return [by_id[hit.message_id].text for hit in found.hits]
