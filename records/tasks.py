"""The worker's tasks for the back office: thin doors to what reviews, removes, sums up and exports."""

import datetime

from procrastinate.contrib.django import app

from conversations.live.database import in_database
from records.services import facts, queueing, reviewing, usage_facts

BACKGROUND_QUEUE = "background"


@app.periodic(cron="* * * * * */10")
@app.task(queue=BACKGROUND_QUEUE, queueing_lock="keep_facts", priority=-2)
async def keep_facts(timestamp: int) -> None:
    """Reckon the sums of conversations in which something changed."""
    await in_database(facts.keep_facts)


@app.periodic(cron="* * * * *")
@app.task(queue=BACKGROUND_QUEUE, queueing_lock="keep_usage", lock="keep_usage", priority=-2)
async def keep_usage(timestamp: int) -> None:
    """Reckon the sums of days in which something changed."""
    await in_database(usage_facts.keep_usage)


@app.periodic(cron="* * * * *")
@app.task(queue=BACKGROUND_QUEUE, queueing_lock="fill_review_queue", priority=-2)
async def fill_review_queue(timestamp: int) -> None:
    """Bring in for review what the policies find."""
    await in_database(queueing.fill_queue)


@app.periodic(cron="41 2 * * *")
@app.task(queue=BACKGROUND_QUEUE, queueing_lock="fill_review_queue_again", priority=-3)
async def fill_review_queue_again(timestamp: int) -> None:
    """Look at the last week once more each night, for what came later than anybody thought."""
    await in_database(queueing.fill_queue, look_back=datetime.timedelta(days=7), seconds=3600.0)


@app.periodic(cron="*/10 * * * *")
@app.task(queue=BACKGROUND_QUEUE, queueing_lock="release_review_claims", priority=-3)
async def release_review_claims(timestamp: int) -> None:
    """Give back to the queue the claims that were left lying."""
    await in_database(reviewing.release_claims)
