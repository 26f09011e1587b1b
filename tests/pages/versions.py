"""Addresses of messages, and what pages show of their versions."""

from __future__ import annotations

import re

import pytest

from conversations.models import Conversation, Message
from tests.pages.record import HTMX, Shown

EITHER = pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "fragment"])


def address(message: Message, verb: str = "") -> str:
    return f"/messages/{message.pk}/{verb}/"


def thread(conversation: Conversation | Message, query: str = "") -> str:
    pk = conversation.conversation_id if isinstance(conversation, Message) else conversation.pk
    return f"/conversations/{pk}/{query}"


def shown(response: Shown) -> list[str]:
    """The ids of the messages on a page, in order."""
    return re.findall(r'<article id="message-(.+?)"', response.content.decode())


def switch_of(response: Shown, message: Message) -> tuple[str, list[str]]:
    """What the switch below a message says, and the ids that it leads to."""
    article = response.content.decode().split(f'<article id="message-{message.pk}"')[1].split("</article>")[0]
    says = re.search(r'role="group"\s+aria-label="(Version .+?)"', article)
    return says[1] if says else "", re.findall(r"\?at=(.{36})#message-\1", article)
