"""What an owner changes about a conversation in one go: its title, whether it is pinned, who answers next."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction

from conversations.models import Assistant, Conversation, LanguageModel
from conversations.services.branching import choose_answerer
from conversations.services.hiding import pin_conversation
from conversations.services.sending import lock_conversation
from conversations.services.titles import rename_conversation


@dataclass(frozen=True, slots=True)
class Answerer:
    """Who answers next: an assistant, with a model in place of its own where one was chosen."""

    assistant: Assistant
    model: LanguageModel | None


def change_conversation(
    *,
    conversation: Conversation,
    title: str | None = None,
    shown_title: str | None = None,
    pinned: bool | None = None,
    answerer: Answerer | None = None,
) -> Conversation:
    """Change what is not None, all of it or nothing, and return the conversation as it now is.

    `shown_title` is what the title was when the change was decided on. Raises Refused (empty, too_long, renamed,
    concluded, too_many_pinned, assistant_unavailable, no_model), and Conversation.DoesNotExist where the conversation
    was hidden meanwhile.
    """
    with transaction.atomic():
        conversation = lock_conversation(conversation)
        if conversation.hidden_at is not None:
            raise Conversation.DoesNotExist
        if answerer is not None:
            choose_answerer(conversation=conversation, assistant=answerer.assistant, model=answerer.model)
        if title is not None:
            rename_conversation(conversation=conversation, title=title, shown=shown_title)
        if pinned is not None:
            pin_conversation(conversation=conversation, pinned=pinned)
        conversation.refresh_from_db()
    return conversation
