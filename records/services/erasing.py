"""Erasing a person on request: all their conversations for good, and whatever tells who they were."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.db import transaction

from accounts.tokens import revoke_all_tokens
from audit import services as audit
from batches.models import Batch
from batches.services import forget_batches_of
from conversations.files.storage import StorageProblem
from conversations.models import Attachment, Conversation, Message
from conversations.services import Refusal, Refused, delete_file, hide_conversation, remove_attachment
from records.models import RetentionRun, Tombstone
from records.services import jobs
from records.services.anonymising import anonymise, end_sessions
from records.services.due import Due, Standing, next_of_person
from records.services.holds import describe, holds_on
from records.services.retention import (
    OBJECT_TYPE,
    STORAGE_AWAY,
    Interrupted,
    Stop,
    StorageAway,
    Sweep,
    counts_of,
    end_run,
)
from rest.idempotency import forget_person

if TYPE_CHECKING:
    from accounts.models import User

WAITING = (
    "It waits for what is on its way in {} of theirs, such as an answer or a sealed document, and goes on by itself."
)
NOT_WHOLE = "Something of theirs came meanwhile. It goes on by itself."


def ask_erasure(*, person: User, asked_by: User, reason: str) -> RetentionRun:
    """Shut a person out, and have a job erase them; return the run that is now waited for. Twice is once.

    Their account is deactivated, and sessions and tokens end at once, so that nothing of theirs comes any more.
    Raises Refused: not_erasable for oneself, or for staff where `asked_by` is no superuser; too_late where they are
    erased already; held while a hold is in force, naming it. The lock on the person makes this and `hold_person` take
    turns.
    """
    with transaction.atomic():
        person = get_user_model().objects.select_for_update(no_key=True).get(pk=person.pk)
        require_erasable(person=person, asked_by=asked_by)
        erasures = RetentionRun.objects.filter(kind=RetentionRun.Kind.ERASURE, person_id=person.pk)
        under_way = erasures.filter(state=RetentionRun.State.RUNNING).first()
        if under_way is not None:
            return under_way
        end_sessions(person.pk)
        run = RetentionRun.objects.create(
            kind=RetentionRun.Kind.ERASURE, person_id=person.pk, requested_by=asked_by, reason=reason
        )
        jobs.defer_retention(run.pk)
        person.is_active = False
        person.save(update_fields=["is_active"])
        revoke_all_tokens(owner=person, by=asked_by)
        forget_person(person)
        audit.record(
            kind="erasure.asked",
            actor=asked_by,
            object_type=OBJECT_TYPE,
            object_id=run.pk,
            subject_id=person.pk,
            reason=reason,
        )
    return run


def require_erasable(*, person: User, asked_by: User) -> None:
    """Raise Refused as `ask_erasure` does; without a lock it tells how things stand."""
    if person.pk == asked_by.pk:
        raise Refused(Refusal.NOT_ERASABLE, "You cannot erase yourself. Ask another administrator.")
    if (person.is_staff or person.is_superuser) and not asked_by.is_superuser:
        raise Refused(Refusal.NOT_ERASABLE, "Only a superuser can erase a member of staff.")
    if is_erased(person.pk):
        raise Refused(Refusal.TOO_LATE, "This person was erased already.")
    if problem := _held(person.pk):
        raise Refused(Refusal.HELD, f"{problem} Lift every hold first.")


def is_erased(person_id: int) -> bool:
    """Tell whether a person was erased."""
    done = RetentionRun.objects.filter(kind=RetentionRun.Kind.ERASURE, state=RetentionRun.State.DONE)
    return done.filter(person_id=person_id).exists()


def carry_out_erasure(*, run: RetentionRun, is_stopping: Stop) -> None:
    """Remove all conversations, uploads and batches of a person, then anonymise them, and end the run.

    A hold that was placed since ends it, with what is left as it is: the account stays shut, and keeps its names.
    Raises Interrupted where it has to be gone on with.
    """
    person_id = run.person_id or 0
    sweep = Sweep(run, is_stopping)
    sweep.finish_begun(Tombstone.objects.filter(owner_id=person_id))
    _stop_answers(person_id)
    kept: Counter[Standing] = Counter()
    last: Due | None = None
    while not kept[Standing.HELD] and (batch := next_of_person(person_id, last)):
        for found in batch:
            kept[sweep.remove(found)] += 1
        last = batch[-1]
        RetentionRun.objects.filter(pk=run.pk).update(counts=counts_of(run))
    if problem := _held(person_id):
        _give_up(run, problem)
        return
    if kept[Standing.WAITING]:
        count = kept[Standing.WAITING]
        raise Interrupted(WAITING.format(f"{count:,} conversation{'' if count == 1 else 's'}"))
    _remove_uploads(person_id)
    forget_batches_of(person_id=person_id)
    _erase(run, person_id)


def _stop_answers(person_id: int) -> None:
    running = Message.objects.filter(owner_id=person_id).running().values("conversation")
    for conversation in Conversation.objects.filter(owner_id=person_id, pk__in=running):
        hide_conversation(conversation=conversation)


def _remove_uploads(person_id: int) -> None:
    """Remove what they uploaded and sent with no message."""
    uploads = Attachment.objects.unsent().filter(owner_id=person_id)
    try:
        for attachment in uploads.exclude(state=Attachment.State.DELETED):
            remove_attachment(attachment=attachment)
        for attachment in uploads:
            delete_file(attachment_id=attachment.pk)
    except StorageProblem as problem:
        raise StorageAway(STORAGE_AWAY) from problem


def _erase(run: RetentionRun, person_id: int) -> None:
    """Anonymise the person and end the run, in one transaction: a hold comes before it, or too late."""
    with transaction.atomic():
        person = get_user_model().objects.select_for_update(no_key=True).get(pk=person_id)
        problem = _held(person_id)
        if not problem:
            if any(
                rows.filter(owner=person).exists() for rows in (Conversation.every, Attachment.objects, Batch.objects)
            ):
                raise Interrupted(NOT_WHOLE)
            cleared: dict[str, Any] = anonymise(person=person)
            end_run(run=run, counts=counts_of(run) | cleared, kind="person.erased")
    if problem:
        _give_up(run, problem)


def _give_up(run: RetentionRun, problem: str) -> None:
    problem = f"{problem} What had not gone by then stays, and so does the person's name; the account stays shut."
    end_run(run=run, counts=counts_of(run), kind="erasure.failed", problem=problem)


def _held(person_id: int) -> str:
    """Return which holds keep a person from being erased, in a sentence; empty where none does."""
    first, *others = [describe(hold) for hold in holds_on(person_id)[:50]] or [""]
    if not first:
        return ""
    return f"A hold is in force: {first}{f', and {len(others)} more' if others else ''}."
