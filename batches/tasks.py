"""The worker's tasks for batches."""

from procrastinate import JobContext
from procrastinate.contrib.django import app

from batches import services
from batches.live import driving
from batches.services.jobs import CARRY_ON_TASK, QUEUE
from conversations.live.database import in_database


@app.periodic(cron="* * * * * */10")
@app.task(name=CARRY_ON_TASK, queue=QUEUE, pass_context=True)
async def carry_on(context: JobContext, timestamp: int, after: int = 0) -> None:
    """Carry batches on, unless another job does."""
    await driving.carry_on(context.job.id or 0, after=after)


@app.periodic(cron="29 * * * *")
@app.task(queue=QUEUE, queueing_lock="expire_batches", priority=-3)
async def expire_batches(timestamp: int) -> None:
    """Remove the lines of batches that ended a month ago."""
    while await in_database(services.expire_batches):
        pass
