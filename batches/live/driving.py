"""Carrying batches on, in the worker."""

from __future__ import annotations

import asyncio

from batches import services
from batches.services import jobs
from conversations.live.database import in_database

SECONDS = 10.0  # of one job: a worker that goes down waits for it


async def carry_on(job_id: int, *, after: int = 0, seconds: float = SECONDS) -> None:
    """Have batches carried on for a while, and by another job after that; return at once where a worker does so.

    `after` is the job that this one takes over from. A worker that dies is followed by the job that comes every ten
    seconds, once it has shown no sign of life for thirty.
    """
    if await in_database(jobs.is_carried_on, job_id=job_id, after=after):
        return
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    while (pause := await in_database(services.advance)) is not None:
        if loop.time() + pause > until:
            await in_database(jobs.defer_carry_on, after=job_id)
            return
        await asyncio.sleep(pause)
