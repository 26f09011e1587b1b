"""Jobs are deferred in the transaction of the service that wants them, in the worker as well."""

import uuid
from collections.abc import Callable

import pytest
from django.db import transaction
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

from conversations.services import jobs


class TakenBackError(Exception):
    pass


@transaction.atomic
def take_back(defer: Callable[[uuid.UUID], int]) -> None:
    defer(uuid.uuid4())
    raise TakenBackError


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("defer", [jobs.defer_answer, jobs.defer_title, lambda key: jobs.defer_forget(str(key))])
def test_a_job_is_there_when_its_transaction_commits_and_not_before(defer: Callable[[uuid.UUID], int]) -> None:
    before = ProcrastinateJob.objects.count()
    # A worker has a connector of its own in the place of Django's.
    with app.replace_connector(app.connector.get_worker_connector()):  # type: ignore[attr-defined]
        with pytest.raises(TakenBackError):
            take_back(defer)
        assert ProcrastinateJob.objects.count() == before
        with transaction.atomic():
            job_id = defer(uuid.uuid4())
            jobs.abort(job_id)
        assert ProcrastinateJob.objects.get(pk=job_id).status == "cancelled"
