"""The job that carries batches on: one at a time, which hands over to the next."""

from __future__ import annotations

import asyncio

import pytest

from batches.live import driving
from batches.models import Batch
from batches.services import cancel_batch, make_batch
from batches.services.jobs import CARRY_ON_TASK
from conversations.models import Message
from tests.batches.given import make_lines, statuses
from tests.factories import make_assistant, make_model, make_user
from tests.live.running import ask
from tests.services.calls import jobs

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_jobs")]


@pytest.fixture
def batch() -> Batch:
    make_model()
    return make_batch(owner=make_user(), assistant=make_assistant(), name="Letters", lines=make_lines(6))


def job() -> int:
    return int(ask("SELECT max(id) FROM procrastinate_jobs WHERE task_name = %s", CARRY_ON_TASK)[0][0])


def test_a_job_that_has_worked_for_its_time_hands_over_to_the_next(batch: Batch) -> None:
    first = job()
    asyncio.run(driving.carry_on(first, seconds=0))
    assert statuses(batch) == ["running"] * 4 + ["waiting"] * 2
    assert jobs(CARRY_ON_TASK) == [{"timestamp": 0, "after": 0}, {"timestamp": 0, "after": first}]


def test_a_job_leaves_batches_to_the_one_that_is_at_it(batch: Batch) -> None:
    ask(
        "WITH worker AS (INSERT INTO procrastinate_workers DEFAULT VALUES RETURNING id)"
        " UPDATE procrastinate_jobs SET status = 'doing', worker_id = worker.id FROM worker"
        " WHERE procrastinate_jobs.id = %s",
        first := job(),
    )
    asyncio.run(driving.carry_on(first + 1, seconds=0))
    assert not Message.objects.exists()
    asyncio.run(driving.carry_on(first + 1, after=first, seconds=0))
    assert Message.objects.running().count() == 4


def test_a_job_ends_when_nothing_is_to_be_done(batch: Batch) -> None:
    cancel_batch(batch=batch)
    asyncio.run(driving.carry_on(job(), seconds=1000))
    assert (len(jobs(CARRY_ON_TASK)), Message.objects.count()) == (1, 0)
