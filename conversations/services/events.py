"""Events for other systems: written in the transaction that they tell of, and numbered in the order of the commits."""

from __future__ import annotations

from typing import Any

from django.db import connection, transaction

from conversations.models import Conversation, Event

_LOCK = 5_617_204_118_233_907_201  # of all who number events; any number that nobody else locks will do
_NEXT = "SELECT coalesce(max(seq), 0) + 1 FROM conversations_event"


def emit(*, kind: str, conversation: Conversation, data: dict[str, Any]) -> Event:
    """Write an event at the end of the caller's transaction and return it: call it last, but for the audit.

    Of the conversation the ids are read, its own and its owner's.

    The lock is held until that transaction has ended, so numbers are given in the order of the commits and without a
    gap: whoever has read up to a number finds everything later behind it. What comes between this and the commit keeps
    all other events waiting. Raises IntegrityError where the event must come once and has come, and
    TransactionManagementError outside a transaction, which would let go of the lock too early.
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("An event belongs to the transaction that it tells of.")
    with connection.cursor() as cursor:
        # Two statements: the second one sees what was committed while the first one waited.
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        cursor.execute(_NEXT)
        (seq,) = cursor.fetchone()
    return Event.objects.create(
        seq=seq, kind=kind, conversation=conversation, owner_id=conversation.owner_id, data=data
    )
