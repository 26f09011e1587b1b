"""Writing exports in the worker: in a thread of its own, so that a long export holds up nothing else."""

from __future__ import annotations

import asyncio
import functools
import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

from django.db import connections

from conversations.files.storage import StorageProblem
from conversations.outages import AWAY
from records.services import bulk_exporting, export_writing
from records.services.export_parts import Superseded
from records.services.export_writing import Stopping

logger = logging.getLogger(__name__)

PAUSES = (2.0, 5.0, 15.0, 30.0)  # seconds between tries while storage is away; then a sweep goes on
STORAGE_AWAY = "Storage does not answer. The export goes on by itself when it is back."
BROKEN = "It could not be written because of a fault. Ask an administrator to look into the log of the worker."

_threads = ThreadPoolExecutor(max_workers=1, thread_name_prefix="exports")
_removing = ThreadPoolExecutor(max_workers=1, thread_name_prefix="expiry")


async def write_export(export_id: UUID) -> None:
    """Write an export to its end; return when nothing is left to be done by this job.

    Where storage is away it is tried again for a minute, and by the next sweep after that. Where the worker is told to
    end, what was begun of the present part is left to the next writer.
    """
    stopping = threading.Event()
    try:
        for pause in (*PAUSES, None):
            if await _write(export_id, stopping.is_set) or pause is None:
                return
            await asyncio.sleep(pause)
    except asyncio.CancelledError:
        stopping.set()
        raise


async def remove_export(export_id: UUID) -> None:
    """Remove what an export that has ended keeps in storage. Raises StorageProblem, to be tried again."""
    await _in(_removing, bulk_exporting.remove_export, export_id=export_id)


async def _write(export_id: UUID, is_stopping: Callable[[], bool]) -> bool:
    """Write on as far as it goes; False where storage is away."""
    claim = None
    try:
        claim = await _in(_threads, export_writing.claim_export, export_id=export_id)
        while claim is not None and await _in(
            _threads, export_writing.write_next, claim=claim, is_stopping=is_stopping
        ):
            pass
    except StorageProblem as problem:
        logger.warning("Storage is away; export %s goes on later: %s", export_id, problem)
        if claim is not None:
            await _in(_threads, export_writing.note_trouble, claim=claim, problem=STORAGE_AWAY)
        return False
    except (Superseded, Stopping) as told:
        logger.info("Export %s: %s", export_id, told)
    except AWAY:
        raise
    except Exception:
        if claim is not None:
            await _in(_threads, export_writing.fail_export, claim=claim, problem=BROKEN)
        raise
    return True


async def _in[Result](threads: ThreadPoolExecutor, function: Callable[..., Result], **arguments: object) -> Result:
    def call() -> Result:
        try:
            return function(**arguments)
        finally:
            connections.close_all()

    return await asyncio.get_running_loop().run_in_executor(threads, functools.partial(call))
