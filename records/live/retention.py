"""Runs of retention in the worker: in a thread of their own, so that removing many conversations holds up nothing."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

from django.db import connections

from records.services.runs import carry_out

_threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="retention")


async def carry_out_run(run_id: UUID) -> None:
    """Carry out a run as far as it goes. Where the worker is told to end, the next one goes on with it."""
    stopping = threading.Event()

    def carry() -> None:
        try:
            carry_out(run_id=run_id, is_stopping=stopping.is_set)
        finally:
            connections.close_all()

    try:
        await asyncio.get_running_loop().run_in_executor(_threads, carry)
    except asyncio.CancelledError:
        stopping.set()
        raise
