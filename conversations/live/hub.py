"""The web's side of live answers: one query serves every answer that is being watched in this process.

A NOTIFY from a recorder or an ending is only a hint to look at once; a look every quarter of a second is the truth,
so a lost NOTIFY costs no more than that.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import psycopg

from conversations.live.database import RETRY_SECONDS, connect
from conversations.live.lifetime import is_stopping

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.25

# Files come while an answer says what it does, so that those which only write text cost no look at them.
_NEWS = """
SELECT message.id, message.status, message.activity, files.states, chunk.start, chunk.text
FROM unnest(%s::uuid[], %s::int[]) AS watched(id, known)
JOIN conversations_message AS message ON message.id = watched.id
LEFT JOIN LATERAL (
    SELECT string_agg(file.id || file.state, ' ' ORDER BY file.created_at, file.id) AS states
    FROM conversations_attachment AS file WHERE file.message_id = message.id AND message.activity <> ''
) AS files ON true
LEFT JOIN conversations_messagechunk AS chunk ON chunk.message_id = message.id AND chunk.start >= watched.known
ORDER BY message.id, chunk.start
"""


@dataclass(eq=False)
class Watched:
    """An answer that somebody is watching, as far as this process knows it."""

    message_id: UUID
    text: str = ""
    activity: str = ""
    status: str = ""
    files: str = ""
    """Which files it has and where they stand; changes with them, and says no more."""
    is_gone: bool = False
    watchers: set[asyncio.Event] = field(default_factory=set)

    @property
    def is_running(self) -> bool:
        return self.status in ("", "queued", "streaming") and not self.is_gone

    def tell(self) -> None:
        """Wake those who watch."""
        for changed in self.watchers:
            changed.set()


@dataclass
class Hub:
    """Follows the answers that are being watched in this process."""

    _watched: dict[UUID, Watched] = field(default_factory=dict)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _task: asyncio.Task[None] | None = None

    @contextlib.asynccontextmanager
    async def watch(self, message_id: UUID) -> AsyncIterator[tuple[Watched, asyncio.Event]]:
        """Follow an answer. The event is set whenever it has changed, or the process is told to stop."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), name="hub")
        watched = self._watched.setdefault(message_id, Watched(message_id))
        changed = asyncio.Event()
        watched.watchers.add(changed)
        if watched.status:
            changed.set()
        self._wake.set()
        try:
            yield watched, changed
        finally:
            watched.watchers.discard(changed)
            if not watched.watchers and self._watched.get(message_id) is watched:
                del self._watched[message_id]

    async def _run(self) -> None:
        while True:
            try:
                async with await connect("hub query") as query, await connect("hub listen") as listener:
                    await listener.execute("LISTEN verbatim_live")
                    listening = asyncio.create_task(self._listen(listener))
                    try:
                        await self._follow(query, listening)
                    finally:
                        listening.cancel()
            except (psycopg.Error, OSError) as error:
                logger.warning("The hub waits for the database: %s", type(error).__name__)
                self._tell_if_stopping()
                await asyncio.sleep(RETRY_SECONDS)

    async def _listen(self, listener: psycopg.AsyncConnection[tuple[Any, ...]]) -> None:
        async for _ in listener.notifies():
            self._wake.set()

    async def _follow(self, query: psycopg.AsyncConnection[tuple[Any, ...]], listening: asyncio.Task[None]) -> None:
        while True:
            if self._watched:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(POLL_SECONDS):
                        await self._wake.wait()
            else:
                await self._wake.wait()
            self._wake.clear()
            if listening.done():
                listening.result()  # raises what ended it
                raise psycopg.OperationalError("The connection that listens has ended.")
            self._tell_if_stopping()
            if self._watched:
                await self._look(query)

    async def _look(self, query: psycopg.AsyncConnection[tuple[Any, ...]]) -> None:
        watched = dict(self._watched)
        known = [len(one.text) for one in watched.values()]
        cursor = await query.execute(_NEWS, [list(watched), known])
        found: set[Watched] = set()
        for message_id, status, activity, files, start, text in await cursor.fetchall():
            one = watched[message_id]  # as it was asked for, even if others have come to watch it anew meanwhile
            found.add(one)
            news = False
            if text and start == len(one.text):
                one.text += str(text)
                news = True
            if (one.status, one.activity) != (status, activity):
                one.status, one.activity = str(status), str(activity)
                news = True
            if files and files != one.files:
                one.files = str(files)
                news = True
            if news:
                one.tell()
        for one in watched.values():
            if one not in found and not one.is_gone:
                one.is_gone = True
                one.tell()

    def _tell_if_stopping(self) -> None:
        if is_stopping():
            for one in self._watched.values():
                one.tell()


_hubs: dict[asyncio.AbstractEventLoop, Hub] = {}


def hub() -> Hub:
    """Return the hub of this process (of the running event loop)."""
    loop = asyncio.get_running_loop()
    if loop not in _hubs:
        _hubs.clear()  # loops that are gone
        _hubs[loop] = Hub()
    return _hubs[loop]
