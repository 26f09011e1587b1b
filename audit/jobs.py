"""The job that writes an event which could not be written at once, by name: this app knows no task."""

from typing import Any

from procrastinate.contrib.django.django_connector import DjangoConnector
from procrastinate.manager import JobManager
from procrastinate.tasks import configure_task

WRITE_TASK = "records.tasks.write_audit"
QUEUE = "background"

# Always Django's connection, so that a job is part of the transaction that wants it, in a worker too.
_manager = JobManager(DjangoConnector())


def defer_writing(*, deed: dict[str, Any], happened_at: str) -> None:
    """Have the worker write an event, once the surrounding transaction commits."""
    configure_task(name=WRITE_TASK, job_manager=_manager, queue=QUEUE).defer(deed=deed, happened_at=happened_at)
