"""How long the model may be silent, watched with one timer per stream."""

import asyncio
import math
from collections.abc import Awaitable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long to wait, in seconds."""

    first_event: float = 60.0
    between_events: float = 120.0
    tool: float = 600.0  # between events while a tool runs, the model thinks or a background answer is queued
    total: float = 900.0  # for the whole answer


class Watchdog:
    """Ends a wait for the network that takes too long; time the caller spends between two waits does not count.

    `asyncio.timeout` around every packet would set and cancel a timer each time. Here a packet only moves a number;
    the one timer, when it rings, looks at that number and sleeps on or cancels the wait.
    """

    def __init__(self, total: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._end = self._loop.time() + total
        self._deadline = math.inf
        self._timer: asyncio.TimerHandle | None = None
        self._waiting: asyncio.Task[object] | None = None
        self._rang = False

    async def wait[T](self, awaitable: Awaitable[T], seconds: float) -> T:
        """Return the result of the awaitable, or raise TimeoutError after so many seconds or when the total is up."""
        task = asyncio.current_task(self._loop)
        if task is None:
            raise RuntimeError("A watchdog can only end a wait inside a task")
        cancelling = task.cancelling()
        self._deadline = min(self._loop.time() + seconds, self._end)
        self._waiting = task
        if self._timer is None or self._timer.when() > self._deadline:
            self._set_timer()
        try:
            return await awaitable
        except asyncio.CancelledError:
            # As in asyncio.timeout: our own cancellation is taken back, unless somebody else cancelled as well.
            if self._rang and task.uncancel() <= cancelling:
                raise TimeoutError from None
            raise
        finally:
            self._waiting = None

    @property
    def is_over(self) -> bool:
        """Whether the time for the whole answer is used up."""
        return self._loop.time() >= self._end

    def stop(self) -> None:
        """Forget the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _set_timer(self) -> None:
        self.stop()
        self._timer = self._loop.call_at(self._deadline, self._ring)

    def _ring(self) -> None:
        self._timer = None
        if self._waiting is None:
            return  # the next wait sets its own timer
        if self._loop.time() < self._deadline:
            self._set_timer()
        else:
            self._rang = True
            self._waiting.cancel()
