"""The job that services hand to the worker, by name: services know no task."""

from __future__ import annotations

from procrastinate.contrib.django.django_connector import DjangoConnector
from procrastinate.manager import JobManager
from procrastinate.tasks import configure_task

BACKGROUND_QUEUE = "background"
SEND_TASK = "webhooks.tasks.send_now"

# Always Django's connection, so that a job comes with its transaction.
_manager = JobManager(DjangoConnector())


def defer_sending() -> int:
    """Have what waits sent once the surrounding transaction commits, rather than some seconds later."""
    return configure_task(name=SEND_TASK, job_manager=_manager, queue=BACKGROUND_QUEUE).defer()
