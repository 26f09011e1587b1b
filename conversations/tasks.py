"""The worker's tasks: thin doors to what writes, settles, indexes, reads, seals and removes."""

import logging
from uuid import UUID

from procrastinate import JobContext, RetryStrategy
from procrastinate.contrib.django import app
from procrastinate.job_context import AbortReason

from conversations import llm, services
from conversations.files import storage
from conversations.live import checking
from conversations.live.answer import write_answer
from conversations.live.database import in_database
from conversations.live.made_files import fetch
from conversations.live.reading import read_files
from conversations.live.sealing import seal_conversation, seal_left_behind
from conversations.live.single_call import write_title, write_trial
from conversations.live.storing import in_files
from conversations.services.jobs import (
    ANSWER_QUEUE,
    ANSWER_TASK,
    DELETE_FILE_TASK,
    FETCH_FILE_TASK,
    FORGET_FILE_TASK,
    FORGET_TASK,
    SEAL_TASK,
    TITLE_TASK,
    TRIAL_TASK,
)

logger = logging.getLogger(__name__)


@app.task(name=ANSWER_TASK, queue=ANSWER_QUEUE, pass_context=True)
async def answer(context: JobContext, message_id: str) -> None:
    """Write one answer."""
    await write_answer(UUID(message_id), is_stopped=lambda: context.abort_reason() == AbortReason.USER_REQUEST)


@app.task(name=TITLE_TASK, queue=ANSWER_QUEUE)
async def title(generation_id: str) -> None:
    """Find a title for a conversation."""
    await write_title(UUID(generation_id))


@app.task(name=TRIAL_TASK, queue=ANSWER_QUEUE)
async def trial(generation_id: str) -> None:
    """Make a call that an administrator tries out."""
    await write_trial(UUID(generation_id))


@app.task(name=FORGET_TASK, queue=ANSWER_QUEUE, retry=RetryStrategy(max_attempts=12, exponential_wait=3))
async def forget_response(response_id: str) -> None:
    """End a background response if it still runs, and delete the provider's copy; days of failure are survived.

    One that cannot be cancelled, because it is over, say, has to be deleted all the same.
    """
    try:
        await llm.cancel(response_id)
    except llm.ModelError as error:
        if error.code != "invalid_request":
            raise
    await llm.delete(response_id)


@app.task(name=FORGET_FILE_TASK, queue=ANSWER_QUEUE, retry=RetryStrategy(max_attempts=12, exponential_wait=3))
async def forget_file(file_id: str) -> None:
    """Delete the provider's copy of a file; days of failure are survived."""
    await llm.delete_file(file_id)


@app.task(name=DELETE_FILE_TASK, queue=ANSWER_QUEUE, retry=RetryStrategy(max_attempts=12, exponential_wait=3))
async def delete_file(attachment_id: str) -> None:
    """Remove a file from storage, then its row; days of failure are survived."""
    attachment = await in_database(services.find_deleted_file, attachment_id=UUID(attachment_id))
    if attachment is not None:
        await in_files(storage.delete, attachment.key)
        await in_database(services.forget_deleted_file, attachment_id=attachment.pk)


@app.task(name=FETCH_FILE_TASK, queue=ANSWER_QUEUE)
async def fetch_file(attachment_id: str) -> None:
    """Fetch a file of the code interpreter once more."""
    attachment = await in_database(services.find_pending_file, attachment_id=UUID(attachment_id))
    if attachment is not None:
        await fetch(attachment)


@app.task(name=SEAL_TASK, queue=ANSWER_QUEUE, retry=RetryStrategy(max_attempts=12, exponential_wait=3))
async def seal(conversation_id: str) -> None:
    """Seal a concluded conversation; days of failure are survived."""
    await seal_conversation(UUID(conversation_id))


@app.periodic(cron="*/5 * * * *")
@app.task(queue=ANSWER_QUEUE, queueing_lock="seal_concluded", priority=-3)
async def seal_concluded(timestamp: int) -> None:
    """Seal, one after the other, what the policy concluded and what workers that died left unsealed."""
    await seal_left_behind()


@app.periodic(cron="7 * * * *")
@app.task(queue=ANSWER_QUEUE, queueing_lock="conclude_idle", priority=-3)
async def conclude_idle(timestamp: int) -> None:
    """Conclude conversations in which nothing was said for as long as the policy says."""
    while await in_database(services.conclude_idle):
        pass


@app.periodic(cron="* * * * *")
@app.task(queue=ANSWER_QUEUE, queueing_lock="settle_files", priority=-2)
async def settle_files(timestamp: int) -> None:
    """Remove uploads that no message took within a day, and settle what workers that died left undone with files."""
    await in_database(services.purge_unsent)
    await in_database(services.settle_lost_files)
    await in_database(services.delete_again)


@app.periodic(cron="* * * * * */10")
@app.task(queue=ANSWER_QUEUE, queueing_lock="rescue_stalled_answers", priority=10)
async def rescue_stalled_answers(timestamp: int) -> None:
    """Settle the answers of workers that died."""
    await in_database(services.settle_stalled)


@app.periodic(cron="* * * * * */10")
@app.task(queue=ANSWER_QUEUE, queueing_lock="index_messages", priority=-2)
async def index_messages(timestamp: int) -> None:
    """Make what was said findable."""
    await in_database(services.index_messages)


@app.periodic(cron="* * * * * */10")
@app.task(queue=ANSWER_QUEUE, queueing_lock="read_files", priority=-2)
async def read_attached_files(timestamp: int) -> None:
    """Make what stands in files findable."""
    await read_files()


@app.periodic(cron="17 3 * * *")
@app.task(queue=ANSWER_QUEUE, queueing_lock="check_models", priority=-3)
async def check_models(timestamp: int) -> None:
    """Note which models the provider lists; where it cannot be asked, the next night does."""
    try:
        await checking.check_models()
    except llm.ModelError as error:
        logger.warning("The models could not be checked: %s", error)
