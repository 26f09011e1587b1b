"""Writing down who did what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

import psycopg
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from audit.chain import GENESIS, hash_of
from audit.jobs import defer_writing
from audit.models import AuditEvent

if TYPE_CHECKING:
    from accounts.models import User

type Detail = str | int | bool | Sequence[Detail] | Mapping[str, Detail] | None

_LOCK = 5_617_204_118_233_907_202  # of all who number audit events; any number that nobody else locks will do
_LAST = "SELECT seq, hash FROM audit_auditevent ORDER BY seq DESC LIMIT 1"
_TAKE = "SELECT pg_advisory_xact_lock(%(lock)s)"
# With a timeout of its own, in one round trip; afterwards the usual one holds again.
_TAKE_PATIENTLY = """
SELECT set_config('audit.usual_timeout', current_setting('lock_timeout'), true),
    set_config('lock_timeout', %(patience)s, true);
SELECT pg_advisory_xact_lock(%(lock)s);
SELECT set_config('lock_timeout', current_setting('audit.usual_timeout'), true)
"""
LONGEST_REASON = 500
PATIENCE = "500ms"  # that a sign-in may wait for the audit


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
    take_turn()
    return _append(_deed(kind, actor, object_type, object_id, subject_id, reason, details))


def record_soon(
    *,
    kind: str,
    actor: User | None,
    object_type: str = "",
    object_id: UUID | int | str = "",
    subject_id: int | None = None,
    reason: str = "",
    details: Mapping[str, Detail] | None = None,
) -> None:
    """Write an event without ever waiting long for others, so that no sign-in hangs and no deadlock lasts.

    For signals, which come in the middle of other people's transactions or in none. Where the audit's turn does not
    come within PATIENCE, a job writes the event, with the time of the deed as `happened_at`; the job is part of the
    caller's transaction as the event would have been.
    """
    deed = _deed(kind, actor, object_type, object_id, subject_id, reason, details)
    try:
        with transaction.atomic():
            take_turn(patience=PATIENCE)
            _append(deed)
    except OperationalError as error:
        if not isinstance(error.__cause__, psycopg.errors.LockNotAvailable):
            raise
        _defer(deed)


def record_later(
    *, kind: str, actor: User | None, object_type: str, object_id: str, details: Mapping[str, Detail] | None = None
) -> None:
    """Have a job write an event once the caller's transaction has committed.

    For signals that come before the rows are locked of which they tell, as those of deletions do.
    """
    _defer(_deed(kind, actor, object_type, object_id, None, "", details))


def write_deferred(*, deed: dict[str, Any], happened_at: str) -> None:
    """Write what `record_soon` or `record_later` left to a job."""
    with transaction.atomic():
        take_turn()
        _append(_Deed(**deed | {"details": deed["details"] | {"happened_at": happened_at}}))


class _Deed(NamedTuple):
    kind: str
    actor_id: int | None
    object_type: str
    object_id: str
    subject_id: int | None
    reason: str
    details: dict[str, Detail]


def _deed(
    kind: str,
    actor: User | None,
    object_type: str,
    object_id: UUID | int | str,
    subject_id: int | None,
    reason: str,
    details: Mapping[str, Detail] | None,
) -> _Deed:
    told = dict(details or {})
    _refuse_fractions(told)
    actor_id = actor.pk if actor is not None else None
    return _Deed(kind, actor_id, object_type, str(object_id), subject_id, reason[:LONGEST_REASON], told)


def take_turn(*, patience: str = "") -> None:
    """Take the turn to number events, until the transaction ends; `record` does so by itself.

    For who must not hold other locks while waiting for it. With `patience`, such as "500ms", OperationalError with
    LockNotAvailable as its cause after that time.
    """
    with connection.cursor() as cursor:
        if patience:
            cursor.execute(_TAKE_PATIENTLY, {"lock": _LOCK, "patience": patience})
        else:
            cursor.execute(_TAKE, {"lock": _LOCK})


def _append(deed: _Deed) -> AuditEvent:
    # A statement after the one that locks: it sees what was committed while that one waited.
    with connection.cursor() as cursor:
        cursor.execute(_LAST)
        seq, previous = cursor.fetchone() or (0, GENESIS)
    event = AuditEvent(seq=seq + 1, created_at=timezone.now(), previous_hash=previous, **deed._asdict())
    event.hash = hash_of(event)
    event.save(force_insert=True)
    return event


def _defer(deed: _Deed) -> None:
    defer_writing(deed=deed._asdict(), happened_at=timezone.now().isoformat())


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
