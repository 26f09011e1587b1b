"""The worker's tasks for the back office: thin doors to what reviews, removes, sums up and exports."""

from procrastinate.contrib.django import app

from conversations.live.database import in_database
from records.services import facts

BACKGROUND_QUEUE = "background"


@app.periodic(cron="* * * * * */10")
@app.task(queue=BACKGROUND_QUEUE, queueing_lock="keep_facts", priority=-2)
async def keep_facts(timestamp: int) -> None:
    """Reckon the sums of conversations in which something changed."""
    await in_database(facts.keep_facts)
