"""Writing down who did what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from audit.chain import GENESIS, hash_of
from audit.models import AuditEvent

if TYPE_CHECKING:
    from accounts.models import User

type Detail = str | int | bool | list[Detail] | dict[str, Detail] | None

_LOCK = 5_617_204_118_233_907_202  # of all who number audit events; any number that nobody else locks will do
_LAST = "SELECT seq, hash FROM audit_auditevent ORDER BY seq DESC LIMIT 1"
LONGEST_REASON = 500


def record(
    *,
    kind: str,
    actor: User | None,
    object_type: str = "",
    object_id: UUID | int | str = "",
    subject_id: int | None = None,
    reason: str = "",
    details: Mapping[str, Detail] | None = None,
) -> AuditEvent:
    """Write that `actor` did something, at the end of the caller's transaction: call it last, after `events.emit` too.

    `actor` is None for what the system does of itself. `details` hold ids, counts and names of fields: strings, whole
    numbers, truth values and lists or objects of these, no fractions (they are not the same in every language), and
    never what people wrote. The lock is held until the transaction has ended, so that numbers have no gap.

    Raises TransactionManagementError outside a transaction, and TypeError or ValueError for details of another kind.
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("An audit event belongs to the transaction that it tells of.")
    told = dict(details or {})
    _refuse_fractions(told)
    with connection.cursor() as cursor:
        # Two statements: the second one sees what was committed while the first one waited.
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        cursor.execute(_LAST)
        seq, previous = cursor.fetchone() or (0, GENESIS)
    event = AuditEvent(
        seq=seq + 1,
        kind=kind,
        actor_id=actor.pk if actor is not None else None,
        object_type=object_type,
        object_id=str(object_id),
        subject_id=subject_id,
        reason=reason[:LONGEST_REASON],
        details=told,
        created_at=timezone.now(),
        previous_hash=previous,
    )
    event.hash = hash_of(event)
    event.save(force_insert=True)
    return event


def _refuse_fractions(value: object) -> None:
    match value:
        case None | bool() | int() | str():
            return
        case list():
            for item in value:
                _refuse_fractions(item)
        case dict() if all(isinstance(key, str) for key in value):
            for item in value.values():
                _refuse_fractions(item)
        case _:
            raise TypeError(f"An audit event cannot tell {value!r}: write it as text or as a whole number.")
