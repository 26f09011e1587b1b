"""Rows as a worker leaves them, for tests of the services."""

import json
from typing import Any
from uuid import UUID

from django.db import connection

from conversations.llm import Finished, Usage
from conversations.models import Generation, Message
from conversations.services import AnswerPlan, claim_answer, start_conversation
from tests.factories import make_assistant, make_model, make_user, token

FINISHED = Finished("completed", "Hello there.", Usage(10, 0, 3, 0), "gpt-4o-2024-11-20", "")


def begin(prompt: str = "Hello") -> Message:
    """A conversation whose first answer is waited for."""
    make_model()
    return start_conversation(owner=make_user(), assistant=make_assistant(), prompt=prompt, client_token=token())


def claim(answer: Message) -> AnswerPlan:
    """Take the answer as a worker does; its job runs on a worker that lives."""
    plan = claim_answer(message_id=answer.pk)
    assert plan is not None
    fetch(job_of(answer))
    return plan


def job_of(answer: Message) -> int:
    job_id = answer.generations.order_by("id").values_list("job_id", flat=True).last()
    assert job_id is not None
    return job_id


def fetch(job_id: int) -> None:
    """Have a new worker take a job."""
    sql(
        "WITH worker AS (INSERT INTO procrastinate_workers DEFAULT VALUES RETURNING id)"
        " UPDATE procrastinate_jobs SET status = 'doing', worker_id = worker.id FROM worker"
        " WHERE procrastinate_jobs.id = %s",
        job_id,
    )


def lose(job_id: int) -> None:
    """End a job as one ends whose task failed or was cancelled."""
    sql("UPDATE procrastinate_jobs SET status = 'failed' WHERE id = %s", job_id)


def jobs(task: str) -> list[dict[str, Any]]:
    """The arguments of all jobs of a task."""
    return [
        json.loads(row[0])
        for row in sql("SELECT args::text FROM procrastinate_jobs WHERE task_name = %s ORDER BY id", task)
    ]


def title_of(answer: Message) -> Generation:
    return Generation.objects.get(purpose="title", conversation=answer.conversation_id)


def sql(query: str, *parameters: str | int) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        return cursor.fetchall() if cursor.description else []


def status_of(message_id: UUID) -> str:
    return str(Message.objects.values_list("status", flat=True).get(pk=message_id))
