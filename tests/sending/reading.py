"""Reading along on an event loop of a test's own."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from typing import Any
from uuid import UUID

from asgiref.sync import async_to_sync
from django.db import connection

from conversations.api.live.waiting import Ended, Happening, Idle, Text, events
from conversations.live.hub import hub


def run[Result](work: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
    """Run something on a loop that ends with it, and so does the hub."""

    async def whole() -> Result:
        try:
            async with asyncio.timeout(30):
                return await work()
        finally:
            await forget_hub()

    return async_to_sync(whole)()


async def forget_hub() -> None:
    """End the hub's task, so that its connections are closed before the test's tables are emptied."""
    task = hub()._task
    if task is not None:
        task.cancel()
        await asyncio.wait([task])


async def read(message_id: UUID, **how: Any) -> list[Happening]:
    """Read an answer to its end and return all that was told of it."""
    async with contextlib.aclosing(events(message_id, **how)) as happenings:
        return [happening async for happening in happenings]


async def first(message_id: UUID, wanted: Callable[[Happening], bool], **how: Any) -> list[Happening]:
    """Read until something is told, and leave."""
    told = []
    async with contextlib.aclosing(events(message_id, **how)) as happenings:
        async for happening in happenings:
            told.append(happening)
            if wanted(happening):
                break
    return told


def held_connections() -> int:
    """Return how many connections of this process's pool somebody holds: the test's own is one."""
    pool: Any = connection.pool  # type: ignore[attr-defined]
    stats = pool.get_stats()
    return int(stats["pool_size"] - stats["pool_available"])


def put_together(happenings: list[Happening], text: str = "") -> str:
    """Return the text that a reader of all this has, who had `text` before."""
    for happening in happenings:
        if isinstance(happening, Text):
            text = text[: happening.start] + happening.text
    return text


def ending(happenings: list[Happening]) -> str | None:
    """Return the status that was told last; None where none was."""
    return happenings[-1].status if isinstance(happenings[-1], Ended) else None


def is_idle(happening: Happening) -> bool:
    return isinstance(happening, Idle)
