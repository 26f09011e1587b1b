"""Waiting for an answer, and reading along, in any process: what the API, its OpenAI door and batches share.

All of it stands on the hub: however many wait in a process, one query serves them, and nobody holds a connection.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from dataclasses import dataclass
from uuid import UUID

from conversations.live.database import RETRY_SECONDS, in_database
from conversations.live.hub import Watched, hub
from conversations.live.lifetime import is_stopping
from conversations.models import Message
from conversations.outages import AWAY
from conversations.services import settle_stalled

IDLE_SECONDS = 15.0
RECHECK_SECONDS = 30.0
LIFE_SECONDS = 3600.0  # of a reader's connection; an answer takes a quarter of an hour at most once it has begun


@dataclass(frozen=True, slots=True)
class Text:
    """Text that follows the first `start` code points. Whatever a reader holds behind these, it takes the place of."""

    start: int
    text: str

    @property
    def end(self) -> int:
        """How many code points of the answer there are with it: where to go on after a cut."""
        return self.start + len(self.text)


@dataclass(frozen=True, slots=True)
class Activity:
    """What the answer is doing now, in one line; empty: nothing that would be told."""

    text: str


@dataclass(frozen=True, slots=True)
class Files:
    """A file of the answer has come, or stands otherwise than before."""


@dataclass(frozen=True, slots=True)
class Idle:
    """Nothing has happened for a while; a connection that is read by others wants a sign of life."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The answer has ended, in one way or another; nothing follows."""

    status: Message.Status


type Happening = Text | Activity | Files | Idle | Ended


async def answer_of(message_id: UUID, seconds: float) -> Message.Status:
    """Return the status of an answer once it has ended, or the one that it has after `seconds`.

    Returns earlier where this process is told to stop. An answer whose writer died is settled meanwhile. Raises
    Message.DoesNotExist where there is no such answer, or it is removed.
    """
    checked, give_up_at = time.monotonic(), time.monotonic() + seconds
    async with hub().watch(message_id) as (watched, changed):
        while watched.is_running and not is_stopping() and (left := give_up_at - time.monotonic()) > 0:
            await _news(changed, min(left, RECHECK_SECONDS))
            if watched.is_running and time.monotonic() - checked >= RECHECK_SECONDS:
                checked = time.monotonic()
                with contextlib.suppress(*AWAY):
                    await in_database(settle_stalled, message_id=message_id)
        if watched.is_gone:
            raise Message.DoesNotExist
        return Message.Status(watched.status or Message.Status.QUEUED)


async def events(
    message_id: UUID, *, after: int = 0, may_go_on: Callable[[], bool] | None = None
) -> AsyncGenerator[Happening]:
    """Yield what happens to an answer: its text behind the first `after` code points, what it does, at last `Ended`.

    All of the text has been told when `Ended` comes; where the final text is another than what was told of it, anew
    from the first difference on. `may_go_on` is asked in a thread, every RECHECK_SECONDS and before the end: when it
    says no, nothing more is told. So it is too where the answer is removed, where this process is to stop, and after
    LIFE_SECONDS; who saw no `Ended` comes back with the end of the last text. While the database is away the reader
    waits. To be closed (`contextlib.aclosing`) by whoever leaves before the end.
    """
    reader, is_unsure = _Reader(after), False
    began = spoken = checked = time.monotonic()
    async with hub().watch(message_id) as (watched, changed):
        while True:
            pause = min(IDLE_SECONDS, checked + RECHECK_SECONDS - time.monotonic())
            await _news(changed, RETRY_SECONDS if is_unsure else pause)
            now = time.monotonic()
            if is_stopping() or watched.is_gone or now - began > LIFE_SECONDS:
                return
            news: list[Happening] = []
            if is_unsure or not watched.is_running or now - checked >= RECHECK_SECONDS:
                try:
                    message = await in_database(_look_again, message_id=message_id, may_go_on=may_go_on)
                except AWAY:
                    is_unsure = True
                else:
                    is_unsure, checked = False, now
                    if message is None:
                        return
                    if not message.is_running:
                        news = [*reader.end_with(message.text, watched), Ended(Message.Status(message.status))]
            if not is_unsure and not news:
                news = list(reader.read(watched))
            if not news and now - spoken >= IDLE_SECONDS:
                news = [Idle()]
            for happening in news:
                yield happening  # lasts as long as a slow reader takes
                spoken = time.monotonic()
                if isinstance(happening, Ended):
                    return


@dataclass(slots=True)
class _Reader:
    """How far somebody has been told of an answer."""

    end: int
    activity: str = ""
    files: str = ""

    def read(self, watched: Watched) -> Iterator[Happening]:
        """Yield what is new."""
        if len(watched.text) > self.end:
            yield Text(self.end, watched.text[self.end :])
            self.end = len(watched.text)
        if watched.activity != self.activity:
            self.activity = watched.activity
            yield Activity(self.activity)
        if watched.files != self.files:
            self.files = watched.files
            yield Files()

    def end_with(self, text: str, watched: Watched) -> Iterator[Happening]:
        """Yield what is left to tell of the final text."""
        told = watched.text[: self.end]  # all of it, or as much as this process has seen
        if not text.startswith(told):
            pairs = enumerate(zip(told, text, strict=False))
            start = next((place for place, (old, new) in pairs if old != new), len(text))
            yield Text(start, text[start:])
        elif len(text) > self.end:
            yield Text(self.end, text[self.end :])


async def _news(changed: asyncio.Event, seconds: float) -> None:
    """Wait for news of an answer, or so long."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await changed.wait()
    changed.clear()


def _look_again(*, message_id: UUID, may_go_on: Callable[[], bool] | None) -> Message | None:
    """Return the answer as it stands in the database; None where it is gone, or its reader may not go on."""
    if may_go_on is not None and not may_go_on():
        return None
    message = Message.objects.filter(pk=message_id).first()
    if message is not None and message.is_running and settle_stalled(message_id=message_id):
        message = Message.objects.filter(pk=message_id).first()
    return message
