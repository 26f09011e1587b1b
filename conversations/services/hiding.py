"""What an owner does to the list of their conversations: put one out of sight, have it back, keep it on top."""

from __future__ import annotations

import contextlib

from django.db import transaction
from django.utils import timezone

from conversations.models import Conversation, Message
from conversations.models.conversation import MOST_PINNED, RESTORABLE
from conversations.services.refusals import Refusal, Refused
from conversations.services.sending import lock_conversation
from conversations.services.stopping import stop_answer


def hide_conversation(*, conversation: Conversation) -> Conversation:
    """Put a conversation out of its owner's sight; the record keeps all of it. Return it as it now is.

    An answer that is being written is stopped, as nobody would read what goes on costing; what it had written is kept.
    The lock makes a send in another tab take its turn: it comes before and its answer is stopped, or it finds nothing.
    Twice is once: the days in which it can be restored count from the first time.
    """
    with transaction.atomic():
        conversation = lock_conversation(conversation)
        if conversation.hidden_at is None:
            _stop_running(conversation)
            conversation.hidden_at = timezone.now()
            conversation.save(update_fields=["hidden_at"])
    return conversation


def restore_conversation(*, conversation: Conversation) -> Conversation:
    """Give a hidden conversation back to its owner as it was. Twice is once. Raises Refused (too_late)."""
    with transaction.atomic():
        conversation = lock_conversation(conversation)
        if conversation.hidden_at is not None:
            if conversation.hidden_at <= timezone.now() - RESTORABLE:
                raise Refused(Refusal.TOO_LATE, f"It was deleted more than {RESTORABLE.days} days ago.")
            conversation.hidden_at = None
            if conversation.pinned_at is not None and _pinned_beside(conversation) >= MOST_PINNED:
                conversation.pinned_at = None  # others were pinned meanwhile; the list has no room for more
            conversation.save(update_fields=["hidden_at", "pinned_at"])
    return conversation


def pin_conversation(*, conversation: Conversation, pinned: bool) -> Conversation:
    """Keep a conversation on top of its owner's list, or no longer. Twice is once. Raises Refused (too_many_pinned).

    Pins in several tabs at once may exceed the limit by a few, which does no harm: the list has room.
    """
    with transaction.atomic():
        conversation = lock_conversation(conversation)
        if pinned == (conversation.pinned_at is not None):
            return conversation
        if pinned and _pinned_beside(conversation) >= MOST_PINNED:
            raise Refused(
                Refusal.TOO_MANY_PINNED, f"You have pinned {MOST_PINNED} conversations. Unpin one of them first."
            )
        conversation.pinned_at = timezone.now() if pinned else None
        conversation.save(update_fields=["pinned_at"])
    return conversation


def _stop_running(conversation: Conversation) -> None:
    answer = Message.objects.filter(conversation=conversation).running().first()
    if answer is not None:
        with contextlib.suppress(Refused):  # it ended a moment ago
            stop_answer(message=answer)


def _pinned_beside(conversation: Conversation) -> int:
    return Conversation.objects.filter(
        owner_id=conversation.owner_id, pinned_at__isnull=False, hidden_at__isnull=True
    ).count()
