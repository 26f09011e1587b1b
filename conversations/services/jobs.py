"""Jobs that services hand to the worker, by name: services know no task."""

import contextlib
from collections.abc import Iterator
from uuid import UUID

import psycopg
from django.db import OperationalError
from procrastinate.contrib.django.django_connector import DjangoConnector
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import JobDeferrer
from procrastinate.manager import JobManager
from procrastinate.tasks import configure_task

ANSWER_TASK = "conversations.tasks.answer"
TITLE_TASK = "conversations.tasks.title"
TRIAL_TASK = "conversations.tasks.trial"
FORGET_TASK = "conversations.tasks.forget_response"
DELETE_FILE_TASK = "conversations.tasks.delete_file"
FORGET_FILE_TASK = "conversations.tasks.forget_file"
FETCH_FILE_TASK = "conversations.tasks.fetch_file"
SEAL_TASK = "conversations.tasks.seal"
HEARTBEAT_SECONDS = 30  # without a sign of life, after which a worker counts as dead
ANSWER_QUEUE = "answers"

# Always Django's connection. A worker puts another one into Procrastinate's own app, and a job deferred there would be
# committed, and perhaps run, before the transaction that wants it.
_manager = JobManager(DjangoConnector())


@contextlib.contextmanager
def _django_s_errors() -> Iterator[None]:
    """Whoever waits for a database that is away knows Django's error for that; Procrastinate raises one of its own."""
    try:
        yield
    except ConnectorException as error:
        if isinstance(error.__cause__, psycopg.OperationalError):
            raise OperationalError(*error.__cause__.args) from error
        raise


@_django_s_errors()
def defer_answer(message_id: UUID, *, priority: int = 0) -> int:
    """Have the worker answer, once the surrounding transaction commits; higher goes first. Return the job's id."""
    return _task(ANSWER_TASK, priority=priority).defer(message_id=str(message_id))


@_django_s_errors()
def defer_title(generation_id: UUID) -> int:
    """Have the worker find a title; answers go first. Return the job's id."""
    return _task(TITLE_TASK, priority=-1).defer(generation_id=str(generation_id))


@_django_s_errors()
def defer_trial(generation_id: UUID) -> int:
    """Have the worker make a call that somebody tries out. Return the job's id."""
    return _task(TRIAL_TASK).defer(generation_id=str(generation_id))


@_django_s_errors()
def defer_forget(response_id: str) -> int:
    """Have the worker delete the provider's copy of a response. Return the job's id."""
    return _task(FORGET_TASK, priority=-2).defer(response_id=response_id)


@_django_s_errors()
def defer_delete_file(attachment_id: UUID) -> int:
    """Have the worker remove a file from storage, then its row. Return the job's id."""
    return _task(DELETE_FILE_TASK, priority=-2).defer(attachment_id=str(attachment_id))


@_django_s_errors()
def defer_forget_file(file_id: str) -> int:
    """Have the worker delete the provider's copy of a file. Return the job's id."""
    return _task(FORGET_FILE_TASK, priority=-2).defer(file_id=file_id)


@_django_s_errors()
def defer_fetch_file(attachment_id: UUID) -> int:
    """Have the worker fetch a file of the code interpreter once more. Return the job's id."""
    return _task(FETCH_FILE_TASK, priority=-1).defer(attachment_id=str(attachment_id))


@_django_s_errors()
def defer_seal(conversation_id: UUID) -> int:
    """Have the worker seal a concluded conversation. Return the job's id."""
    return _task(SEAL_TASK, priority=-2).defer(conversation_id=str(conversation_id))


# Whether a job of a task still comes for a file: one that a dead worker had begun does not.
LIVING_JOB = """
EXISTS (
    SELECT FROM procrastinate_jobs AS job LEFT JOIN procrastinate_workers AS worker ON worker.id = job.worker_id
    WHERE job.task_name = %(task)s AND job.args->>'attachment_id' = file.id::text AND (
        job.status = 'todo'
        OR job.status = 'doing' AND worker.last_heartbeat > now() - make_interval(secs => %(heartbeat)s)
    )
)
"""

LIVING_SEAL_JOB = LIVING_JOB.replace("attachment_id", "conversation_id").replace("file.id", "conversation.id")


@_django_s_errors()
def abort(job_id: int) -> None:
    """Cancel a job that waits, or reach into one that runs. A job that is gone is no error."""
    _manager.cancel_job_by_id(job_id, abort=True)


def _task(name: str, *, priority: int = 0) -> JobDeferrer:
    return configure_task(name=name, job_manager=_manager, queue=ANSWER_QUEUE, priority=priority)
