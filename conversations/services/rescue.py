"""Settling answers, titles and trials whose writer is gone, so that none is waited for in vain."""

from __future__ import annotations

import logging
from uuid import UUID

from django.db import Error, connection, transaction

from conversations.models import Generation, Message
from conversations.services import jobs
from conversations.services.answering import end_message, notify_watchers
from conversations.services.calls import close_call, close_open_calls, is_background, plan_next_attempt

logger = logging.getLogger(__name__)

LOST_SECONDS = 60
WORKER_LOST = "worker_lost"
INTERRUPTED_TEXT = "The server that was writing this answer stopped. What it had written is kept. Retry to ask again."
LOST_TEXT = "The server stopped twice before it could answer. Your message is kept. Retry to ask again."
MAX_RESUMES = 5

# Of what is waited for (answers; with no id given titles and trials too), that which nobody will end: its job is gone
# or over, or the worker that runs the job has shown no sign of life. Just after PostgreSQL itself came back no
# heartbeat can be trusted. A job that a worker fetched long ago but never began was fetched without the worker's
# knowing, because the answer to the fetch was lost.
_STALLED = """
WITH waited_for AS (
    SELECT message.id, message.status = 'queued' AS is_waiting, call.job_id
    FROM conversations_message AS message
    LEFT JOIN LATERAL (
        SELECT job_id FROM conversations_generation WHERE message_id = message.id ORDER BY id DESC LIMIT 1
    ) AS call ON true
    WHERE message.status IN ('queued', 'streaming') AND (%(id)s::uuid IS NULL OR message.id = %(id)s)
  UNION ALL
    SELECT id, status = 'pending', job_id FROM conversations_generation
    WHERE status IN ('pending', 'running') AND purpose IN ('title', 'preview', 'test')
        AND (%(id)s::uuid IS NULL OR id = %(id)s)
)
SELECT waited_for.id
FROM waited_for
LEFT JOIN procrastinate_jobs AS job ON job.id = waited_for.job_id
LEFT JOIN procrastinate_workers AS worker ON worker.id = job.worker_id
WHERE job.id IS NULL
  OR job.status NOT IN ('todo', 'doing')
  OR job.status = 'doing' AND pg_postmaster_start_time() < now() - make_interval(secs => %(heartbeat)s) AND (
    coalesce(worker.last_heartbeat, '-infinity') < now() - make_interval(secs => %(heartbeat)s)
    OR waited_for.is_waiting AND (
        SELECT max(at) FROM procrastinate_events WHERE job_id = job.id AND type = 'started'
    ) < now() - make_interval(secs => %(lost)s)
  )
"""


def settle_stalled(*, message_id: UUID | None = None) -> list[UUID]:
    """Settle all calls whose writer is gone, or the answer named; return the answers that were settled.

    Decided by the message's status: with text saved it ends interrupted; with none it is tried once more, and failed
    if that writer dies too. A background response is picked up again where it was. A title is done without, and
    what somebody tries out they try again.
    """
    return [found for found in _find_stalled(message_id) if _settle_apart(found)]


def settle(*, message_id: UUID, attempt: int | None = None) -> bool:
    """Settle one answer if its writer is gone (`attempt`: that very writer says so itself). Return whether it did.

    Others may settle it at the same moment, and the next writer begin, so all is looked at again under the lock. An
    answer that somebody holds is being written to; whoever looks on does not wait for it.
    """
    with transaction.atomic():
        messages = Message.objects.select_for_update(no_key=True, skip_locked=attempt is None)
        if attempt is None:
            messages = messages.filter(status__in=Message.RUNNING)
        else:  # one that waits for its next writer is no longer the last one's
            messages = messages.filter(status=Message.Status.STREAMING, attempt=attempt)
        message = messages.filter(pk=message_id).first()
        if message is None or (attempt is None and not _find_stalled(message_id)):
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
        elif (
            call is None or deaths or call.step > 1
        ):  # what the tools of the earlier steps brought is not known any more
            _end(message, Message.Status.FAILED, "", LOST_TEXT)
        else:
            _try_once_more(message, call)
    return True


def _find_stalled(one: UUID | None) -> list[UUID]:
    with connection.cursor() as cursor:
        cursor.execute(_STALLED, {"id": one, "heartbeat": jobs.HEARTBEAT_SECONDS, "lost": LOST_SECONDS})
        return [row[0] for row in cursor.fetchall()]


def _settle_apart(found: UUID) -> bool:
    """Settle an answer or another call; one that cannot be settled keeps no other from it."""
    try:
        return settle(message_id=found) or _give_up(found)
    except Error as error:
        logger.error("What %s waits for could not be settled: %s", found, type(error).__name__)  # noqa: TRY400 (text)
        return False


def _give_up(generation_id: UUID) -> bool:
    """Close a call that no answer waits for, if it is one; of a title the beginning of the first prompt stays."""
    with transaction.atomic():
        calls = Generation.objects.select_for_update(of=("self",), no_key=True, skip_locked=True)
        open_ones = calls.exclude(purpose=Generation.Purpose.ANSWER).filter(status__in=Generation.OPEN)
        call = open_ones.select_related("model").filter(pk=generation_id).first()
        if call is not None and _find_stalled(generation_id):
            _end_job(call.job_id)
            call.error_code = WORKER_LOST
            close_call(call, Generation.Status.INTERRUPTED)
    return False


def _end(message: Message, status: Message.Status, text: str, told: str) -> None:
    close_open_calls(message, Generation.Status.INTERRUPTED, text, WORKER_LOST)
    message.error_code, message.error_text = WORKER_LOST, told
    end_message(message, status, text)


def _can_resume(call: Generation) -> bool:
    # Of a later call of an answer it is not known where its text begins.
    return is_background(call) and call.status in Generation.OPEN and call.step == 1


def _resume(message: Message, call: Generation) -> None:
    call.job_id = jobs.defer_answer(message.pk)
    call.save(update_fields=["job_id"])
    _queue_again(message)


def _try_once_more(message: Message, call: Generation) -> None:
    close_open_calls(message, Generation.Status.INTERRUPTED, "", WORKER_LOST)
    plan_next_attempt(call, job_id=jobs.defer_answer(message.pk))
    _queue_again(message)


def _queue_again(message: Message) -> None:
    message.status, message.activity = Message.Status.QUEUED, ""
    message.save(update_fields=["status", "activity"])
    notify_watchers()


def _end_job(job_id: int | None) -> None:
    """Mark the dead worker's job as failed, so that nothing counts it as running."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET status = 'failed' WHERE id = %s AND status = 'doing'", [job_id])
