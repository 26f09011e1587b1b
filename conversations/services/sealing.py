"""Sealing what is concluded: its document goes into storage, then its row and its event into the record, once."""

from __future__ import annotations

import hashlib
import logging
import tempfile
from typing import BinaryIO, NamedTuple
from uuid import UUID

from django.db import connection, transaction

from conversations.files import storage
from conversations.models import Attachment, Conversation, Event, Generation, Message, SealedDocument
from conversations.services import jobs
from conversations.services.canonical import FORMAT, document, moment
from conversations.services.events import emit
from conversations.services.sending import lock_conversation

logger = logging.getLogger(__name__)

CONTENT_TYPE = "application/json"
BATCH = 100
_UNSEALED = """
SELECT conversation.id FROM conversations_conversation AS conversation
WHERE conversation.state = 'concluded' AND (%(after)s::uuid IS NULL OR conversation.id > %(after)s)
    AND NOT EXISTS (SELECT FROM conversations_sealeddocument WHERE conversation_id = conversation.id)
    AND NOT
"""
_LEFT_BEHIND = f"{_UNSEALED}{jobs.LIVING_SEAL_JOB} ORDER BY conversation.id LIMIT %(batch)s"


class NotSettled(Exception):
    """Something of a concluded conversation is still on its way, such as a title or a file: seal it later."""


class _Draft(NamedTuple):
    size: int
    sha256: str


def seal_conversation(*, conversation_id: UUID) -> bool:
    """Put the document of a concluded conversation into storage and write its row and event. Return whether it did.

    Of several who seal it at once, the first one's document counts, and the others take theirs back. No connection is
    held while storage is written. Raises NotSettled and StorageProblem, to be tried again. A process that ends between
    storing and writing the row leaves an object that `reconcile_files` finds.
    """
    if not _waits(conversation_id):
        return False
    with tempfile.TemporaryFile(prefix="sealing-") as file:
        draft = _draw_up(conversation_id, file)
        if not connection.in_atomic_block:
            connection.close()
        key = storage.new_key()
        storage.put(key, file, size=draft.size, sha256=draft.sha256, content_type=CONTENT_TYPE)
    is_first = _record(conversation_id, key, draft)
    if not is_first:
        _take_back(key)
    return is_first


def find_unsealed(*, after: UUID | None = None) -> list[UUID]:
    """Return up to 100 concluded conversations, behind `after`, that are not sealed and for which no job will come."""
    wanted = {
        "after": after,
        "batch": BATCH,
        "task": jobs.SEAL_TASK,
        "heartbeat": jobs.HEARTBEAT_SECONDS,
    }
    with connection.cursor() as cursor:
        cursor.execute(_LEFT_BEHIND, wanted)
        return [row[0] for row in cursor.fetchall()]


def _waits(conversation_id: UUID) -> bool:
    concluded = Conversation.objects.filter(pk=conversation_id, state=Conversation.State.CONCLUDED)
    return concluded.filter(sealed_document__isnull=True).exists()


def _draw_up(conversation_id: UUID, file: BinaryIO) -> _Draft:
    """Write the document to a file. What a concluded conversation holds changes no more once all of it is settled."""
    sha256, size = hashlib.sha256(), 0
    with transaction.atomic():
        if not _is_settled(conversation_id):
            raise NotSettled(f"Conversation {conversation_id} has something on its way.")
        for piece in document(conversation_id):
            size += file.write(piece)
            sha256.update(piece)
    return _Draft(size, sha256.hexdigest())


def _is_settled(conversation_id: UUID) -> bool:
    unsettled = [Attachment.State.PENDING, Attachment.State.DELETED]
    return not (
        Message.objects.filter(conversation_id=conversation_id).running().exists()
        or Generation.objects.filter(conversation_id=conversation_id, status__in=Generation.OPEN).exists()
        or Attachment.objects.filter(message__conversation_id=conversation_id, state__in=unsettled).exists()
    )


def _record(conversation_id: UUID, key: str, draft: _Draft) -> bool:
    """Write row and event; False where somebody else did. The lock on the conversation makes sealers take turns."""
    with transaction.atomic():
        conversation = lock_conversation(Conversation(pk=conversation_id))
        if SealedDocument.objects.filter(conversation=conversation).exists():
            return False
        sealed = SealedDocument.objects.create(
            conversation=conversation,
            bucket=storage.bucket(),
            key=key,
            size=draft.size,
            sha256=draft.sha256,
            format=FORMAT,
        )
        emit(kind=Event.Kind.CONVERSATION_CONCLUDED, conversation=conversation, data=_told(conversation, sealed))
    return True


def _told(conversation: Conversation, sealed: SealedDocument) -> dict[str, object]:
    return {
        "conversation": str(conversation.pk),
        "owner": str(conversation.owner_id),
        "concluded_at": conversation.concluded_at and moment(conversation.concluded_at),
        "concluded_by": conversation.concluded_by,
        "document": {
            "format": sealed.format,
            "sha256": sealed.sha256,
            "size": sealed.size,
            "address": sealed.address,
        },
    }


def _take_back(key: str) -> None:
    try:
        storage.delete(key)
    except storage.StorageProblem as problem:
        logger.warning("A second sealed document stays behind until files are reconciled: %s", problem)
