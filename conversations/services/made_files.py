"""Files that the model sends back: a row while each is on its way into storage, and how that ended."""

from __future__ import annotations

import logging
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from conversations.files import FileFacts, clean_name, storage
from conversations.models import Attachment, Message
from conversations.services import jobs
from conversations.services.answering import AnswerPlan
from conversations.services.attachments import require_room
from conversations.services.refusals import Refusal, Refused
from conversations.services.sending import lock_conversation

logger = logging.getLogger(__name__)

LOST = "The server stopped while it fetched this file. Retry."
_FAIL = """
UPDATE conversations_attachment AS file SET state = 'failed', failure = %(reason)s
FROM conversations_message AS message
WHERE message.id = file.message_id AND file.state = 'pending' AND message.status NOT IN ('queued', 'streaming') AND NOT
"""
_FAIL_LOST = _FAIL + jobs.LIVING_JOB


def plan_file(
    *, plan: AnswerPlan, name: str, container_id: str = "", container_file_id: str = "", source_id: str = ""
) -> Attachment | None:
    """Make the row of a file that an answer brings, on its way; None where the claim on the answer is lost.

    One that has its row already, since its response is told again, is returned as it stands.
    """
    with transaction.atomic():
        held = Message.objects.filter(pk=plan.message_id, status=Message.Status.STREAMING, attempt=plan.attempt)
        message = held.select_for_update(no_key=True).first()
        if message is None:
            return None
        known = Attachment.objects.filter(message=message)
        for told in ({"container_file_id": container_file_id}, {"source_id": source_id}):
            if all(told.values()) and (earlier := known.filter(**told).first()) is not None:
                return earlier
        return Attachment.objects.create(
            message=message,
            owner_id=message.owner_id,
            origin=Attachment.Origin.MODEL,
            bucket=storage.bucket(),
            key=storage.new_key(),
            name=clean_name(name),
            content_type="application/octet-stream",
            container_id=container_id,
            container_file_id=container_file_id,
            source_id=source_id,
        )


def prepare_file(*, attachment: Attachment, facts: FileFacts) -> str | None:
    """Note what a planned file is and return the key to store it under; None where it was given up meanwhile.

    Each try has a key of its own: whatever an earlier one may still write goes nowhere. Raises FileProblem where all
    files of the person would take too much.
    """
    with transaction.atomic():
        require_room(owner_id=attachment.owner_id, size=facts.size)
        key = storage.new_key()
        pending = Attachment.objects.filter(pk=attachment.pk, state=Attachment.State.PENDING)
        is_pending = pending.update(
            key=key,
            bucket=storage.bucket(),
            content_type=facts.content_type,
            size=facts.size,
            sha256=facts.sha256,
            width=facts.width,
            height=facts.height,
        )
    return key if is_pending else None


def keep_file(*, attachment: Attachment, key: str) -> bool:
    """Note that storage holds a planned file under `key`. Return False where it was given up or tried anew.

    Asked again, because the answer to the commit was lost, it returns the same.
    """
    file = Attachment.objects.filter(pk=attachment.pk, key=key)
    pending = file.filter(state=Attachment.State.PENDING)
    if pending.update(state=Attachment.State.READY, ready_at=timezone.now(), failure=""):
        return True
    return file.filter(state=Attachment.State.READY).exists()


def fail_file(*, attachment: Attachment, reason: str) -> None:
    """Give a file up that is on its way, and say why."""
    pending = Attachment.objects.filter(pk=attachment.pk, state=Attachment.State.PENDING)
    pending.update(state=Attachment.State.FAILED, failure=reason[:500])
    logger.warning("File %s of answer %s was not kept: %s", attachment.pk, attachment.message_id, reason)


def retry_file(*, attachment: Attachment) -> None:
    """Have a failed file of the code interpreter fetched once more. Raises Refused (file, concluded)."""
    message = attachment.message
    with transaction.atomic():
        if message is not None and not lock_conversation(message.conversation).is_open:
            raise Refused(Refusal.CONCLUDED, "This conversation is concluded. Its files stay as they are.")
        failed = Attachment.objects.filter(pk=attachment.pk, state=Attachment.State.FAILED).exclude(
            container_file_id=""
        )
        if not failed.update(state=Attachment.State.PENDING, failure=""):
            raise Refused(Refusal.FILE, "This file cannot be fetched again. Ask for the answer once more instead.")
        jobs.defer_fetch_file(attachment.pk)
    attachment.refresh_from_db()


def settle_lost_files() -> int:
    """Fail the files of ended answers that nobody fetches any more, since the worker died; return how many."""
    with connection.cursor() as cursor:
        cursor.execute(_FAIL_LOST, {"task": jobs.FETCH_FILE_TASK, "reason": LOST, "heartbeat": jobs.HEARTBEAT_SECONDS})
        return int(cursor.rowcount)


def find_pending_file(*, attachment_id: UUID) -> Attachment | None:
    """Return a file that is to be fetched; None where that is over."""
    return Attachment.objects.filter(pk=attachment_id, state=Attachment.State.PENDING).first()
