"""What its owner has seen of a conversation."""

from uuid import UUID

from django.db import transaction
from django.utils import timezone

from conversations.models import Conversation


def mark_seen(*, conversation: Conversation, last_message_id: UUID | None = None) -> bool:
    """Note that its owner has the conversation's end before their eyes; return whether it was noted.

    `last_message_id` is the last message that the page shows: where another tab has said something since, or the page
    shows another branch, that is not the end, and nothing is noted.
    """
    with transaction.atomic():
        rows = Conversation.objects.filter(pk=conversation.pk)
        if last_message_id is not None:
            rows = rows.filter(current_leaf_id=last_message_id)
        return bool(rows.update(seen_at=timezone.now()))
