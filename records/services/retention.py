"""Runs of the retention policies: counted first where wished, gone on with where they were cut off."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import DatabaseError, IntegrityError, transaction
from django.db.models import Count, QuerySet, Sum
from django.utils import timezone

from audit import services as audit
from conversations.files.storage import StorageProblem
from conversations.models import Conversation
from conversations.outages import AWAY
from records.models import RetentionPolicy, RetentionRun, Tombstone
from records.services import jobs
from records.services.due import Due, Standing, next_due
from records.services.removing import COUNTED, begin_removal, finish_removal, measure, remove_objects
from records.services.tombstones import digest

if TYPE_CHECKING:
    from accounts.models import User

logger = logging.getLogger(__name__)

OBJECT_TYPE = "retentionrun"
MOST_WORDS = 500  # of a problem
MOST_IN_VAIN = 3  # conversations in a row whose objects storage does not delete; then it counts as down
STORAGE_AWAY = "Storage does not delete anything just now. The run goes on by itself when it does."
STUCK = (
    "Of {} what was begun could not be finished; it is tried again every few minutes. The log of the worker says why."
)

type Stop = Callable[[], bool]


class Interrupted(Exception):
    """The run ends here for now; whoever takes it up goes on where it was."""


class StorageAway(Interrupted):
    """Storage deletes nothing."""


def begin_run(*, person: User | None = None) -> RetentionRun | None:
    """Return the run of the policies that is under way, or a new one; None where there is nothing to carry out."""
    under_way = RetentionRun.objects.filter(
        kind=RetentionRun.Kind.POLICIES, state=RetentionRun.State.RUNNING, is_dry=False
    )
    if (found := under_way.first()) is not None:
        return found
    if not RetentionPolicy.objects.filter(is_enabled=True).exists():
        return None
    try:
        with transaction.atomic():
            return RetentionRun.objects.create(kind=RetentionRun.Kind.POLICIES, requested_by=person)
    except IntegrityError:  # somebody else began one at this moment
        return under_way.first()


def begin_dry_run(*, person: User | None = None) -> RetentionRun:
    """Return a new run that counts what the policies would remove now, and removes nothing."""
    return RetentionRun.objects.create(kind=RetentionRun.Kind.POLICIES, requested_by=person, is_dry=True)


def ask_dry_run(*, person: User) -> RetentionRun:
    """Have a job count what the policies would remove; return the run that is now waited for. Twice is once."""
    with transaction.atomic():
        asked = RetentionRun.objects.filter(requested_by=person, is_dry=True, state=RetentionRun.State.RUNNING)
        run = asked.first() or begin_dry_run(person=person)
        jobs.defer_retention(run.pk)
    return run


def begin_nightly() -> None:
    """Have a job carry out the policies, or go on with a run that was cut off."""
    with transaction.atomic():
        run = begin_run()
        if run is not None:
            jobs.defer_retention(run.pk)


def tend_runs() -> None:
    """Have runs gone on with that nobody carries out any more."""
    for run_id in jobs.find_unattended_runs():
        jobs.defer_retention(run_id)


def apply_policies(*, run: RetentionRun, is_stopping: Stop) -> None:
    """Remove what the policies let go, and end the run. Raises Interrupted where it has to be gone on with."""
    sweep = Sweep(run, is_stopping)
    sweep.finish_begun(run.tombstones.all())
    kept: Counter[Standing] = Counter()
    last: Due | None = None
    while batch := next_due(last):
        for found in batch:
            kept[sweep.remove(found)] += 1
        last = batch[-1]
        RetentionRun.objects.filter(pk=run.pk).update(counts=counts_of(run))
    end_run(run=run, counts=counts_of(run) | _left(kept), kind="retention.ran")


def count_due(*, run: RetentionRun, is_stopping: Stop) -> None:
    """Count what the policies would remove now, and end the run."""
    sums: dict[str, Any] = dict.fromkeys(("conversations", *COUNTED), 0)
    kept: Counter[Standing] = Counter()
    last: Due | None = None
    while batch := next_due(last):
        conversations = Conversation.objects.in_bulk([found.id for found in batch if found.standing is Standing.DUE])
        for found in batch:
            if is_stopping():
                raise Interrupted
            kept[found.standing] += 1
            if found.id in conversations:
                tombstone = measure(conversations[found.id])
                sums["conversations"] += 1
                for name in COUNTED:
                    sums[name] += getattr(tombstone, name)
        last = batch[-1]
    end_run(run=run, counts=_as_json(sums) | _left(kept), kind="retention.counted")


def end_run(*, run: RetentionRun, counts: dict[str, Any], kind: str, problem: str = "") -> None:
    """End a run with what it came to, once, and tell the audit; with a problem it has failed.

    Raises Interrupted while a removal that it began is unfinished.
    """
    with transaction.atomic():
        going = RetentionRun.objects.select_for_update(no_key=True)
        locked = going.filter(pk=run.pk, state=RetentionRun.State.RUNNING).first()
        if locked is None:
            return
        if unfinished := locked.tombstones.filter(removed_at__isnull=True).count():
            raise Interrupted(STUCK.format(_number(unfinished, "conversation")))
        locked.state = RetentionRun.State.FAILED if problem else RetentionRun.State.DONE
        locked.counts, locked.problem, locked.finished_at = counts, problem[:MOST_WORDS], timezone.now()
        locked.save(update_fields=["state", "counts", "problem", "finished_at"])
        audit.record(
            kind=kind,
            actor=locked.requested_by,
            object_type=OBJECT_TYPE,
            object_id=locked.pk,
            subject_id=locked.person_id,
            reason=locked.reason,
            details=counts | _policies(locked) | ({} if run.is_dry else {"tombstones_sha256": digest(locked)}),
        )


def counts_of(run: RetentionRun) -> dict[str, Any]:
    """Return what a run has removed so far."""
    removed = run.tombstones.filter(removed_at__isnull=False)
    sums = removed.aggregate(conversations=Count("pk"), **{name: Sum(name, default=0) for name in COUNTED})
    return _as_json(sums)


class Sweep:
    """Removes conversations one by one, and gives up where storage seems to be down."""

    def __init__(self, run: RetentionRun, is_stopping: Stop) -> None:
        self._run, self._is_stopping = run, is_stopping
        self._in_vain = 0

    def finish_begun(self, tombstones: QuerySet[Tombstone]) -> None:
        """Finish the removals among these that were begun and cut off."""
        for pk in list(tombstones.filter(removed_at__isnull=True).order_by("pk").values_list("pk", flat=True)):
            with self._going_on(pk):
                _finish(pk)

    def remove(self, found: Due) -> Standing:
        """Remove a conversation if it is due, still; return how it stood."""
        standing = found.standing
        if standing is Standing.DUE:
            with self._going_on(found.id):
                standing = begin_removal(conversation_id=found.id, run=self._run)
                if standing is Standing.DUE:
                    _finish(found.id)
        return standing

    @contextmanager
    def _going_on(self, conversation_id: UUID) -> Iterator[None]:
        """Let what is wrong with one conversation keep no other from being removed."""
        if self._is_stopping():
            raise Interrupted
        try:
            yield
        except StorageProblem as problem:
            logger.warning("Removal of conversation %s goes on later: %s", conversation_id, problem)
            self._in_vain += 1
            if self._in_vain == MOST_IN_VAIN:
                raise StorageAway(STORAGE_AWAY) from problem
        except AWAY:
            raise
        except DatabaseError as error:
            logger.error("Conversation %s could not be removed: %s", conversation_id, type(error).__name__)  # noqa: TRY400 (text)
        else:
            self._in_vain = 0


def _finish(conversation_id: UUID) -> None:
    remove_objects(conversation_id=conversation_id)
    finish_removal(conversation_id=conversation_id)


def _left(kept: Counter[Standing]) -> dict[str, int]:
    return {"held": kept[Standing.HELD], "waiting": kept[Standing.WAITING]}


def _policies(run: RetentionRun) -> dict[str, Any]:
    if run.kind != RetentionRun.Kind.POLICIES:
        return {}
    enabled = RetentionPolicy.objects.filter(is_enabled=True).order_by("pk")
    return {"policies": [{"id": policy.pk, "basis": policy.basis, "days": policy.days} for policy in enabled]}


def _as_json(sums: dict[str, Any]) -> dict[str, Any]:
    return sums | {"cost": f"{sums['cost']:.8f}"}


def _number(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
