"""The worker's tasks for the back office: thin doors to what reviews, removes, sums up and exports."""

import datetime
from typing import Any
from uuid import UUID

from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from audit import refusals
from audit import services as audit
from audit.jobs import WRITE_TASK
from conversations.live.database import in_database
from conversations.live.storing import in_files
from records.live.exporting import remove_export, write_export
from records.live.retention import carry_out_run
from records.services import anchoring, bulk_exporting, facts, queueing, retention, reviewing, usage_facts
from records.services.jobs import EXPORT_TASK, REMOVE_EXPORT_TASK, RETENTION_TASK

BACKGROUND_QUEUE = "background"


@app.periodic(cron="* * * * * */10")
@app.task(queue=BACKGROUND_QUEUE, queueing_lock="keep_facts", priority=-2)
async def keep_facts(timestamp: int) -> None:
    """Reckon the sums of conversations in which something changed."""
    await in_database(facts.keep_facts)


@app.periodic(cron="* * * * *")
@app.task(queue=BACKGROUND_QUEUE, queueing_lock="keep_usage", priority=-2)
async def keep_usage(timestamp: int) -> None:
    """Reckon the sums of days in which something changed."""
    await in_database(usage_facts.keep_usage)


@app.task(name=EXPORT_TASK, queue=BACKGROUND_QUEUE)
async def export(export_id: str) -> None:
    """Write an export on, to its end."""
    await write_export(UUID(export_id))


@app.task(
    name=REMOVE_EXPORT_TASK,
    queue=BACKGROUND_QUEUE,
    retry=RetryStrategy(max_attempts=6, exponential_wait=3),
)
async def remove_export_objects(export_id: str) -> None:
    """Remove the objects of an export that has ended; a minute's sweep tries again where this gives up."""
    await remove_export(UUID(export_id))


@app.periodic(cron="* * * * *")
@app.task(queue=BACKGROUND_QUEUE, queueing_lock="tend_exports", priority=-1)
async def tend_exports(timestamp: int) -> None:
    """Have exports written on whose writer died, and those removed whose time is over."""
    await in_database(bulk_exporting.tend_exports)


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


@app.task(name=WRITE_TASK, queue=BACKGROUND_QUEUE, retry=RetryStrategy(max_attempts=12, exponential_wait=3))
async def write_audit(deed: dict[str, Any], happened_at: str) -> None:
    """Write an audit event that could not be written at once."""
    await in_database(audit.write_deferred, deed=deed, happened_at=happened_at)


@app.periodic(cron="* * * * *")
@app.task(queue=BACKGROUND_QUEUE, queueing_lock="tell_refused", priority=-2)
async def tell_refused(timestamp: int) -> None:
    """Write into the audit how many sign-ins failed."""
    await in_database(refusals.tell_refused)


@app.periodic(cron="23 * * * *")
@app.task(queue=BACKGROUND_QUEUE, queueing_lock="anchor_audit", priority=-2)
async def anchor_audit(timestamp: int) -> None:
    """Put into storage what the audit comes to; where storage is away, the next hour does."""
    last = await in_database(anchoring.last_event)
    if last is not None:
        await in_files(anchoring.put_anchor, *last)


@app.task(name=RETENTION_TASK, queue=BACKGROUND_QUEUE, priority=-3)
async def carry_out_retention(run_id: str) -> None:
    """Carry out a run of the retention policies, or an erasure, as far as it goes."""
    await carry_out_run(UUID(run_id))


@app.periodic(cron="11 3 * * *")
@app.task(queue=BACKGROUND_QUEUE, queueing_lock="apply_retention", priority=-3)
async def apply_retention(timestamp: int) -> None:
    """Begin with the retention policies, each night."""
    await in_database(retention.begin_nightly)


@app.periodic(cron="*/5 * * * *")
@app.task(queue=BACKGROUND_QUEUE, queueing_lock="tend_retention", priority=-3)
async def tend_retention(timestamp: int) -> None:
    """Go on with what was cut off, or waits for storage or for answers."""
    await in_database(retention.tend_runs)
