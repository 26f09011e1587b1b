"""Jobs that services hand to the worker, by name: services know no task."""

from uuid import UUID

from procrastinate.contrib.django import app

ANSWER_TASK = "conversations.tasks.answer"
TITLE_TASK = "conversations.tasks.title"
FORGET_TASK = "conversations.tasks.forget_response"
ANSWER_QUEUE = "answers"


def defer_answer(message_id: UUID) -> int:
    """Have the worker answer, once the surrounding transaction commits. Return the job's id."""
    return app.configure_task(ANSWER_TASK, queue=ANSWER_QUEUE).defer(message_id=str(message_id))


def defer_title(generation_id: UUID) -> int:
    """Have the worker find a title; answers go first. Return the job's id."""
    return app.configure_task(TITLE_TASK, queue=ANSWER_QUEUE, priority=-1).defer(generation_id=str(generation_id))


def defer_forget(response_id: str) -> int:
    """Have the worker delete the provider's copy of a response. Return the job's id."""
    return app.configure_task(FORGET_TASK, queue=ANSWER_QUEUE, priority=-2).defer(response_id=response_id)


def abort(job_id: int) -> None:
    """Cancel a job that waits, or reach into one that runs. A job that is gone is no error."""
    app.job_manager.cancel_job_by_id(job_id, abort=True)
