"""Files that the model sends back: a row while each is on its way into storage, and how that ended."""

from __future__ import annotations

import logging
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Sum

from conversations.files import FileProblem, clean_name, inspect_file, storage
from conversations.models import Attachment, Message
from conversations.services import jobs
from conversations.services.answering import AnswerPlan
from conversations.services.attachments import MEGABYTE, mark_ready
from conversations.services.refusals import Refusal, Refused
from conversations.services.rescue import HEARTBEAT_SECONDS

logger = logging.getLogger(__name__)

LOST = "The server stopped while it fetched this file."
_FAIL_LOST = """
UPDATE conversations_attachment AS file SET state = 'failed', failure = %(reason)s
FROM conversations_message AS message
WHERE message.id = file.message_id AND file.state = 'pending' AND message.status NOT IN ('queued', 'streaming')
AND NOT EXISTS (
    SELECT FROM procrastinate_jobs AS job LEFT JOIN procrastinate_workers AS worker ON worker.id = job.worker_id
    WHERE job.task_name = %(task)s AND job.args->>'attachment_id' = file.id::text AND (
        job.status = 'todo'
        OR job.status = 'doing' AND worker.last_heartbeat > now() - make_interval(secs => %(heartbeat)s)
    )
)
"""


def plan_file(*, plan: AnswerPlan, name: str, container_id: str = "", container_file_id: str = "") -> Attachment | None:
    """Make the row of a file that an answer brings, on its way; None where the claim on the answer is lost.

    A file of the code interpreter that has its row already is returned as it stands.
    """
    with transaction.atomic():
        held = Message.objects.filter(pk=plan.message_id, status=Message.Status.STREAMING, attempt=plan.attempt)
        message = held.select_for_update(no_key=True).first()
        if message is None:
            return None
        if container_file_id:
            known = Attachment.objects.filter(message=message, container_file_id=container_file_id).first()
            if known is not None:
                return known
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
        )


def save_made_file(*, attachment: Attachment, path: Path) -> None:
    """Put the bytes of a planned file into storage. Raises FileProblem for good, StorageProblem to be tried again."""
    facts = inspect_file(path, name=attachment.name, max_bytes=settings.MAX_FILE_MEGABYTES * MEGABYTE, lenient=True)
    stored = Attachment.objects.filter(owner_id=attachment.owner_id).aggregate(total=Sum("size"))["total"] or 0
    if stored + facts.size > settings.MAX_STORED_MEGABYTES * MEGABYTE:
        raise FileProblem(f"All your files together may take {settings.MAX_STORED_MEGABYTES:,} MB; there is no room.")
    try:
        with path.open("rb") as file:
            storage.put(attachment.key, file, size=facts.size, sha256=facts.sha256, content_type=facts.content_type)
    except storage.StorageProblem:
        attachment.key = storage.new_key()  # half an object may be left under the old one
        attachment.save(update_fields=["key"])
        raise
    attachment.content_type, attachment.size, attachment.sha256 = facts.content_type, facts.size, facts.sha256
    attachment.width, attachment.height = facts.width, facts.height
    mark_ready(attachment=attachment)


def fail_file(*, attachment: Attachment, reason: str) -> None:
    """Give a file up that is on its way, and say why."""
    pending = Attachment.objects.filter(pk=attachment.pk, state=Attachment.State.PENDING)
    pending.update(state=Attachment.State.FAILED, failure=reason[:500])
    logger.warning("File %s of answer %s was not kept: %s", attachment.pk, attachment.message_id, reason)


def retry_file(*, attachment: Attachment) -> None:
    """Have a failed file of the code interpreter fetched once more. Raises Refused (file)."""
    with transaction.atomic():
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
        cursor.execute(_FAIL_LOST, {"task": jobs.FETCH_FILE_TASK, "reason": LOST, "heartbeat": HEARTBEAT_SECONDS})
        return cursor.rowcount


def find_pending_file(*, attachment_id: UUID) -> Attachment | None:
    """Return a file that is to be fetched; None where that is over."""
    return Attachment.objects.filter(pk=attachment_id, state=Attachment.State.PENDING).first()
