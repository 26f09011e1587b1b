"""Jobs of the back office that services hand to the worker, by name: services know no task."""

from __future__ import annotations

from uuid import UUID

from django.db import connection
from procrastinate.contrib.django.django_connector import DjangoConnector
from procrastinate.manager import JobManager
from procrastinate.tasks import configure_task

from conversations.services.jobs import HEARTBEAT_SECONDS, LIVING_JOB

BACKGROUND_QUEUE = "background"
EXPORT_TASK = "records.tasks.export"
REMOVE_EXPORT_TASK = "records.tasks.remove_export"
RETENTION_TASK = "records.tasks.carry_out_retention"

# As in conversations.services.jobs: always Django's connection, so that a job comes with its transaction.
_manager = JobManager(DjangoConnector())

_LIVING_EXPORT_JOB = LIVING_JOB.replace("attachment_id", "export_id").replace("file.id", "export.id")
_UNDER_WAY = """
SELECT export.id FROM records_bulkexport AS export WHERE export.state IN ('waiting', 'running') AND NOT
"""
_OVER = """
SELECT export.id FROM records_bulkexport AS export
WHERE (
    export.state = 'done' AND export.expires_at <= clock_timestamp()
    OR export.state IN ('cancelled', 'failed')
        AND EXISTS (SELECT FROM records_bulkexportpart WHERE export_id = export.id)
) AND NOT
"""
_UNWRITTEN = f"{_UNDER_WAY}{_LIVING_EXPORT_JOB}"
_UNREMOVED = f"{_OVER}{_LIVING_EXPORT_JOB}"
_LIVING_RETENTION_JOB = LIVING_JOB.replace("attachment_id", "run_id").replace("file.id", "run.id")
_RUNNING = "SELECT run.id FROM records_retentionrun AS run WHERE run.state = 'running' AND NOT"
_UNATTENDED = f"{_RUNNING}{_LIVING_RETENTION_JOB}"


def defer_export(export_id: UUID) -> int:
    """Have an export written, once the surrounding transaction commits. Return the job's id."""
    return _defer(EXPORT_TASK, export_id=export_id)


def defer_remove_export(export_id: UUID) -> int:
    """Have the objects of an export that has ended removed. Return the job's id."""
    return _defer(REMOVE_EXPORT_TASK, export_id=export_id)


def find_unwritten_exports() -> list[UUID]:
    """Return the exports under way for which no job will come."""
    with connection.cursor() as cursor:
        cursor.execute(_UNWRITTEN, {"task": EXPORT_TASK, "heartbeat": HEARTBEAT_SECONDS})
        return [row[0] for row in cursor.fetchall()]


def find_unremoved_exports() -> list[UUID]:
    """Return the exports whose objects are to go and for which no job will come."""
    with connection.cursor() as cursor:
        cursor.execute(_UNREMOVED, {"task": REMOVE_EXPORT_TASK, "heartbeat": HEARTBEAT_SECONDS})
        return [row[0] for row in cursor.fetchall()]


def defer_retention(run_id: UUID) -> int:
    """Have a run of the policies or an erasure carried out, or gone on with. Return the job's id."""
    return _defer(RETENTION_TASK, run_id=run_id)


def find_unattended_runs() -> list[UUID]:
    """Return the runs of retention under way for which no job will come."""
    with connection.cursor() as cursor:
        cursor.execute(_UNATTENDED, {"task": RETENTION_TASK, "heartbeat": HEARTBEAT_SECONDS})
        return [row[0] for row in cursor.fetchall()]


def _defer(name: str, **ids: UUID) -> int:
    task = configure_task(name=name, job_manager=_manager, queue=BACKGROUND_QUEUE)
    return task.defer(**{name: str(value) for name, value in ids.items()})
