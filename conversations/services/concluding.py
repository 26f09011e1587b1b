"""Concluding a conversation: by its owner, or by the policy on idle ones. From then on it is only read."""

from __future__ import annotations

import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from conversations.models import Conversation, Message
from conversations.services import jobs
from conversations.services.refusals import Refusal, Refused
from conversations.services.sending import lock_conversation

BATCH = 200


def conclude_conversation(*, conversation: Conversation) -> Conversation:
    """Conclude a conversation for its owner, have it sealed, and return it as it now is.

    It takes no more messages and no other title; what is still on its way into it (a title, a file) is waited for
    before it is sealed. The lock makes a send in another tab take its turn: it comes before and its answer is waited
    for, or it is refused. Raises Refused (concluded, busy), and Conversation.DoesNotExist where it is hidden.
    """
    with transaction.atomic():
        conversation = lock_conversation(conversation)
        if conversation.hidden_at is not None:
            raise Conversation.DoesNotExist
        if not conversation.is_open:
            raise Refused(Refusal.CONCLUDED, "This conversation is concluded already.")
        if conversation.messages.running().exists():
            raise Refused(Refusal.BUSY, "An answer is still being written. Wait for it or stop it, then conclude.")
        conversation.state = Conversation.State.CONCLUDED
        conversation.concluded_at = timezone.now()
        conversation.concluded_by = Conversation.ConcludedBy.OWNER
        conversation.save(update_fields=["state", "concluded_at", "concluded_by"])
        jobs.defer_seal(conversation.pk)
    return conversation


def conclude_idle() -> int:
    """Conclude up to 200 conversations in which nothing was said for CONCLUDE_AFTER_IDLE_DAYS; return how many.

    Call it again until it returns 0. Hidden ones are concluded too. One whose answer is waited for is left for another
    day, and one in which something is said at this very moment is left alone. They are sealed by the sweep, one after
    the other, so that many at once hold up no answer.
    """
    days = settings.CONCLUDE_AFTER_IDLE_DAYS
    if not days:
        return 0
    now = timezone.now()
    running = Message.objects.filter(conversation=OuterRef("pk")).running()
    with transaction.atomic():
        # A send that held the lock before has made its conversation newer, which the lock looks at again.
        idle = (
            Conversation.objects.filter(
                ~Exists(running),
                state=Conversation.State.OPEN,
                last_activity_at__lt=now - datetime.timedelta(days=days),
            )
            .order_by("last_activity_at")
            .select_for_update(no_key=True, skip_locked=True)
            .values_list("pk", flat=True)[:BATCH]
        )
        return Conversation.objects.filter(pk__in=list(idle)).update(
            state=Conversation.State.CONCLUDED,
            concluded_at=now,
            concluded_by=Conversation.ConcludedBy.POLICY,
        )
