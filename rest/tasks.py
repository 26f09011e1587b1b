"""The worker's tasks for the API."""

from procrastinate.contrib.django import app

from rest import idempotency, throttles
from rest.threads import in_thread


@app.periodic(cron="23 * * * *")
@app.task(queue="background", queueing_lock="purge_requests", priority=-3)
async def purge_requests(timestamp: int) -> None:
    """Forget requests with an Idempotency-Key after a day, and who asked how often after an hour."""
    await in_thread(idempotency.purge)
    await in_thread(throttles.purge)
