"""The job that carries batches on, and the turn that all take who change them."""

from __future__ import annotations

from django.db import connection
from procrastinate.contrib.django.django_connector import DjangoConnector
from procrastinate.manager import JobManager
from procrastinate.tasks import configure_task

from conversations.services.jobs import HEARTBEAT_SECONDS

CARRY_ON_TASK = "batches.tasks.carry_on"
QUEUE = "background"
PRIORITY = -5  # of the answers to batches: whatever people wait for goes first
_LOCK = 0x62617463  # "batc"

# As in conversations.services.jobs: always Django's connection, so that a job comes with its transaction.
_manager = JobManager(DjangoConnector())

_DRIVEN = """
SELECT EXISTS (
    SELECT FROM procrastinate_jobs AS job JOIN procrastinate_workers AS worker ON worker.id = job.worker_id
    WHERE job.task_name = 'batches.tasks.carry_on' AND job.status = 'doing'
        AND job.id < %(job)s AND job.id <> %(after)s
        AND worker.last_heartbeat > now() - make_interval(secs => %(heartbeat)s)
)
"""


def defer_carry_on(*, after: int = 0) -> int:
    """Have batches carried on, once the surrounding transaction commits; by whoever is free once the job `after` ends.

    Return the job's id.
    """
    return configure_task(name=CARRY_ON_TASK, job_manager=_manager, queue=QUEUE).defer(timestamp=0, after=after)


def is_carried_on(*, job_id: int, after: int) -> bool:
    """Tell whether a worker that lives does so already, in an earlier job than this one and another than `after`."""
    with connection.cursor() as cursor:
        cursor.execute(_DRIVEN, {"job": job_id, "after": after, "heartbeat": HEARTBEAT_SECONDS})
        return bool((cursor.fetchone() or (False,))[0])


def take_turn() -> None:
    """Take turns with all who change batches that are under way, until the transaction ends.

    So no line begins twice or after its batch was cancelled, and never more at once than there may be.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
