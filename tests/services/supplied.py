"""Histories that programs hold themselves, as tests supply them."""

from __future__ import annotations

from collections.abc import Sequence

from accounts.models import User
from conversations.models import Assistant, Conversation, Message
from conversations.services import (
    Said,
    send_history,
    start_from_history,
)
from conversations.services.client_options import ClientOptions
from tests.factories import token

OPTIONS = ClientOptions("Answer in French.", {"temperature": 0.2, "max_output_tokens": 100})


def told(*texts: str) -> list[Said]:
    """A history in which user and assistant take turns."""
    return [Said("assistant" if number % 2 else "user", text) for number, text in enumerate(texts)]


def texts(conversation: Conversation) -> list[tuple[str, str, bool]]:
    path = Conversation.objects.get(pk=conversation.pk).path()
    return [(message.role, message.text, message.is_supplied) for message in path]


def start(owner: User, assistant: Assistant, *history: str) -> Message:
    return start_from_history(owner=owner, assistant=assistant, history=told(*history), client_token=token())


def go_on(answer: Message, *history: str) -> Message:
    return go_on_with(answer, told(*history))


def go_on_with(answer: Message, history: Sequence[Said]) -> Message:
    return send_history(
        owner=answer.owner, conversation_id=answer.conversation_id, history=history, client_token=token()
    )
