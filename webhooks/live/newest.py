"""The number of the last event, for all who wait for the next one in this process: one question, however many wait."""

from __future__ import annotations

import asyncio
import logging

from django.db import Error
from django.db.models import Max

from conversations.live.database import in_database
from conversations.live.lifetime import is_stopping
from conversations.models import Event

logger = logging.getLogger(__name__)

LOOK_SECONDS = 0.5
_waiting: dict[asyncio.AbstractEventLoop, _Look] = {}


class _Look:
    """Asks again and again as long as somebody waits."""

    def __init__(self) -> None:
        self.last = 0
        self.changed = asyncio.Event()
        self.waiting = 0
        self.task: asyncio.Task[None] | None = None

    async def run(self) -> None:
        while self.waiting:
            try:
                last = await in_database(last_number)
            except Error as error:
                logger.warning("The database is away; events are looked for again: %s", type(error).__name__)
                last = self.last
            if last > self.last or is_stopping():
                self.last = last
                self.changed.set()
                self.changed = asyncio.Event()
            await asyncio.sleep(LOOK_SECONDS)
        self.task = None


def last_number() -> int:
    """Return the number of the last event; 0 where there is none."""
    return Event.objects.aggregate(last=Max("seq"))["last"] or 0


async def wait_beyond(number: int, seconds: float) -> bool:
    """Wait until there is an event behind a number, for so many seconds at most; return whether there is one.

    Returns earlier, too, where this process is told to stop.
    """
    loop = asyncio.get_running_loop()
    look = _waiting.setdefault(loop, _Look())
    give_up_at = loop.time() + seconds
    look.waiting += 1
    if look.task is None or look.task.done():  # done while others wait: it failed
        look.task = loop.create_task(look.run())
    try:
        while look.last <= number and not is_stopping() and (left := give_up_at - loop.time()) > 0:
            try:
                await asyncio.wait_for(look.changed.wait(), left)
            except TimeoutError:
                break
        return look.last > number
    finally:
        look.waiting -= 1
        if not look.waiting:
            _waiting.pop(loop, None)
