"""Settling answers whose writer is gone, so that none is waited for in vain."""

from __future__ import annotations

from uuid import UUID

from django.db import connection, transaction

from conversations.models import Generation, Message
from conversations.services import jobs
from conversations.services.answering import close_open_generation, end_message, notify_watchers

HEARTBEAT_SECONDS = 30
WORKER_LOST = "worker_lost"
INTERRUPTED_TEXT = "The server that was writing this answer stopped. What it had written is kept. Retry to ask again."
LOST_TEXT = "The server stopped twice before it could answer. Your message is kept. Retry to ask again."
MAX_RESUMES = 5

# An answer is stalled when the job of its latest call is gone or over, or when the worker that runs the job has shown
# no sign of life. Just after PostgreSQL itself came back no heartbeat can be trusted. A job that a worker fetched but
# never began (its answer to the fetch was lost) shows as one that runs while the answer is still queued.
_STALLED = """
SELECT message.id
FROM conversations_message AS message
LEFT JOIN LATERAL (
    SELECT job_id, created_at FROM conversations_generation
    WHERE message_id = message.id ORDER BY id DESC LIMIT 1
) AS call ON true
LEFT JOIN procrastinate_jobs AS job ON job.id = call.job_id
LEFT JOIN procrastinate_workers AS worker ON worker.id = job.worker_id
WHERE message.status IN ('queued', 'streaming')
  AND (%(message_id)s::uuid IS NULL OR message.id = %(message_id)s)
  AND pg_postmaster_start_time() < now() - make_interval(secs => %(heartbeat)s)
  AND (
    job.id IS NULL
    OR job.status NOT IN ('todo', 'doing')
    OR job.status = 'doing'
        AND coalesce(worker.last_heartbeat, '-infinity') < now() - make_interval(secs => %(heartbeat)s)
    OR job.status = 'doing'
        AND message.status = 'queued' AND call.created_at < now() - make_interval(secs => %(lost)s)
  )
"""


def settle_stalled(*, message_id: UUID | None = None) -> list[UUID]:
    """Settle all answers whose writer is gone, or the one named; return those that were settled.

    Decided by the message's status: with text saved it ends interrupted; with none it is tried once more, and failed
    if that writer dies too. A background response is picked up again where it was.
    """
    with connection.cursor() as cursor:
        cursor.execute(_STALLED, {"message_id": message_id, "heartbeat": HEARTBEAT_SECONDS, "lost": 60})
        stalled = [row[0] for row in cursor.fetchall()]
    return [found for found in stalled if settle(message_id=found)]


def settle(*, message_id: UUID, attempt: int | None = None) -> bool:
    """Settle one answer whose writer is gone (`attempt`: that very writer says so itself). Return whether it did."""
    with transaction.atomic():
        message = Message.objects.select_for_update(no_key=True).get(pk=message_id)
        if not message.is_running or attempt not in (None, message.attempt):
            return False
        call = message.generations.select_related("model").order_by("id").last()
        if call is not None and attempt is None:
            _end_job(call.job_id)
        text = message.text_so_far()
        deaths = message.generations.filter(error_code=WORKER_LOST).count()
        if call is not None and _can_resume(call) and message.attempt < MAX_RESUMES:
            _resume(message, call)
        elif text:
            _end(message, Message.Status.INTERRUPTED, text, INTERRUPTED_TEXT)
        elif call is None or deaths:
            _end(message, Message.Status.FAILED, "", LOST_TEXT)
        else:
            _try_once_more(message, call)
    return True


def _end(message: Message, status: Message.Status, text: str, told: str) -> None:
    close_open_generation(message, Generation.Status.INTERRUPTED, text, WORKER_LOST)
    message.error_code, message.error_text = WORKER_LOST, told
    end_message(message, status, text)


def _can_resume(call: Generation) -> bool:
    return bool(call.response_id and call.parameters.get("background") and call.status in Generation.OPEN)


def _resume(message: Message, call: Generation) -> None:
    call.job_id = jobs.defer_answer(message.pk)
    call.save(update_fields=["job_id"])
    _queue_again(message)


def _try_once_more(message: Message, call: Generation) -> None:
    close_open_generation(message, Generation.Status.INTERRUPTED, "", WORKER_LOST)
    Generation.objects.create(
        purpose=call.purpose,
        conversation_id=call.conversation_id,
        message=message,
        step=call.step,
        attempt=call.attempt + 1,
        model=call.model,
        model_asked=call.model_asked,
        job_id=jobs.defer_answer(message.pk),
    )
    _queue_again(message)


def _queue_again(message: Message) -> None:
    message.status, message.activity = Message.Status.QUEUED, ""
    message.save(update_fields=["status", "activity"])
    notify_watchers()


def _end_job(job_id: int | None) -> None:
    """Mark the dead worker's job as failed, so that nothing counts it as running."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET status = 'failed' WHERE id = %s AND status = 'doing'", [job_id])
