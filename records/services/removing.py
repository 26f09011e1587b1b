"""Removing one conversation for good: its tombstone first, then its objects in storage, then its rows.

From the tombstone on nobody sees the conversation and no hold can save it. Each step may be repeated, by whomever, so
that a removal which was cut off anywhere is gone on with from its tombstone alone.
"""

from __future__ import annotations

import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db import connection, transaction
from django.utils import timezone

from conversations.files import storage
from conversations.models import Conversation, Event
from conversations.services import jobs
from conversations.services.canonical import moment
from conversations.services.events import emit
from conversations.services.sending import lock_conversation
from records.models import RetentionRun, Tombstone
from records.services import usage_facts
from records.services.due import Standing, find_due, find_of_person
from records.services.removing_statements import DELETE_ALL, LOCK_ALL, MEASURE, OBJECTS, PROVIDER_FILES

COUNTED = (
    "messages",
    "generations",
    "attachments",
    "attachment_bytes",
    "input_tokens",
    "output_tokens",
    "cost",
    "unpriced_calls",
)
"""The columns of a tombstone that are added up."""


def begin_removal(*, conversation_id: UUID, run: RetentionRun) -> Standing:
    """Write the tombstone of a conversation that may still go; return what it stood at: `due` where it has begun.

    The locks on the conversation and its owner make this and `place_hold` take turns: a hold that comes first is seen
    here, and one that comes later is told of the tombstone. Whoever holds these rows waits for nobody but the turn to
    change sums, which is taken before.
    """
    with transaction.atomic():
        usage_facts.take_turn()
        try:
            conversation = lock_conversation(Conversation(pk=conversation_id))
        except Conversation.DoesNotExist:
            return Standing.GONE
        get_user_model().objects.select_for_update(no_key=True).get(pk=conversation.owner_id)
        is_erasure = run.kind == RetentionRun.Kind.ERASURE
        found = find_of_person(conversation_id) if is_erasure else find_due(conversation_id)
        if found is None:
            return Standing.KEPT
        if found.standing is not Standing.DUE:
            return found.standing
        tombstone = measure(conversation)
        tombstone.run, tombstone.policy_id = run, found.policy_id
        tombstone.save(force_insert=True)
        Conversation.every.filter(pk=conversation_id).update(
            removal_begun_at=tombstone.begun_at,
            hidden_at=conversation.hidden_at or tombstone.begun_at,
            pinned_at=None,
        )
        usage_facts.keep_removed(conversation_ids=[conversation_id])
    return Standing.DUE


def measure(conversation: Conversation) -> Tombstone:
    """Return the tombstone that a conversation would have, of no run and not saved."""
    with connection.cursor() as cursor:
        cursor.execute(MEASURE, {"id": conversation.pk})
        names = [column.name for column in cursor.description or ()]
        measured: dict[str, Any] = dict(zip(names, cursor.fetchone() or (), strict=True))
    return Tombstone(
        conversation_id=conversation.pk,
        owner_id=conversation.owner_id,
        assistant_id=conversation.assistant_id,
        created_at=conversation.created_at,
        last_activity_at=conversation.last_activity_at,
        concluded_at=conversation.concluded_at,
        **measured,
    )


def remove_objects(*, conversation_id: UUID) -> None:
    """Delete the objects of a conversation whose removal has begun, with all their versions; call outside transactions.

    An object that rows of other conversations name stays, and goes with the last of these. Raises StorageProblem, to be
    tried again; also where an object is in another bucket than the one in use.
    """
    with connection.cursor() as cursor:
        cursor.execute(OBJECTS, {"id": conversation_id})
        objects: list[tuple[str, str]] = cursor.fetchall()
    if not connection.in_atomic_block:
        connection.close()  # a slow bucket must not keep it from others
    in_use = storage.bucket()
    for bucket, key in objects:
        if bucket != in_use:
            raise storage.StorageProblem(f"deleting {key}: it is in another bucket than the one in use")
        storage.delete(key)
        storage.clear_up(key)


def finish_removal(*, conversation_id: UUID) -> None:
    """Delete all rows of a conversation whose objects are gone, and finish its tombstone. Twice is once.

    Whoever still writes about it (a rating, a sum, a review) has come before the locks, and goes with it, or comes too
    late. What the provider keeps of its files is deleted there by jobs. Other systems are told by an event, so that
    they can remove what they hold.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        tombstone = Tombstone.objects.select_for_update(no_key=True).get(pk=conversation_id)
        if tombstone.removed_at is not None:
            return
        wanted = {"id": conversation_id}
        cursor.execute(LOCK_ALL, wanted)
        cursor.execute(PROVIDER_FILES, wanted)
        copies = [row[0] for row in cursor.fetchall()]
        cursor.execute(DELETE_ALL, wanted)
        for file_id in copies:
            jobs.defer_forget_file(file_id)
        tombstone.removed_at = timezone.now()
        tombstone.save(update_fields=["removed_at"])
        gone = Conversation(pk=conversation_id, owner_id=tombstone.owner_id)
        emit(kind=Event.Kind.CONVERSATION_REMOVED, conversation=gone, data=_told(tombstone, tombstone.removed_at))


def _told(tombstone: Tombstone, removed_at: datetime.datetime) -> dict[str, Any]:
    return {
        "conversation": str(tombstone.pk),
        "owner": str(tombstone.owner_id),
        "removed_at": moment(removed_at),
        "document_sha256": tombstone.sealed_sha256 or None,
        "file_sha256": tombstone.file_hashes,
    }
