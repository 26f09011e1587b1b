"""The worker's tasks for webhooks: thin doors to what sends and purges."""

from procrastinate.contrib.django import app

from conversations.live.database import in_database
from webhooks import services
from webhooks.services.jobs import BACKGROUND_QUEUE, SEND_TASK


@app.periodic(cron="* * * * * */5")
@app.task(queue=BACKGROUND_QUEUE, queueing_lock="send_webhooks")
async def send_webhooks(timestamp: int) -> None:
    """Send what waits to every endpoint that takes it."""
    await _send()


@app.task(name=SEND_TASK, queue=BACKGROUND_QUEUE)
async def send_now() -> None:
    """Send what waits; somebody looks on."""
    await _send()


@app.periodic(cron="37 3 * * *")
@app.task(queue=BACKGROUND_QUEUE, queueing_lock="purge_webhook_deliveries", priority=-3)
async def purge_webhook_deliveries(timestamp: int) -> None:
    """Shorten the log of deliveries and forget old secrets, each night."""
    await in_database(services.forget_former_secrets)
    while await in_database(services.purge_deliveries):
        pass


async def _send() -> None:
    # Here, because web processes load the tasks as well, and can do without the HTTP client that sending needs.
    from webhooks.live.sending import send_waiting

    await send_waiting()
