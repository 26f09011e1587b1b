"""The worker's side of a live answer: text goes to the database within 250 ms of arriving.

Each worker process has one recorder. A flush writes the new text of all its running answers in one statement, which
also tells which of them are still ours: an answer that was stopped, or that another writer has taken, is lost to us.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import psycopg

from conversations.live.database import OUTAGE_SECONDS, RETRY_SECONDS, connect

logger = logging.getLogger(__name__)

FLUSH_SECONDS = 0.02  # with the 0.18 s between two reads of `llm.stream` below 0.25 s

# The lock on the message makes the ending and a flush take turns: the text is folded with this piece, or not written.
# Whoever locks several answers does so in the order of their ids, so that nobody waits for another in a circle.
_FLUSH = """
WITH piece AS (
    SELECT * FROM unnest(%s::uuid[], %s::int[], %s::int[], %s::text[], %s::text[])
        AS p(id, attempt, start, text, activity)
), ours AS (
    SELECT piece.* FROM conversations_message AS message JOIN piece ON piece.id = message.id
    WHERE message.status = 'streaming' AND message.attempt = piece.attempt
    ORDER BY message.id FOR SHARE OF message
), chunk AS (
    INSERT INTO conversations_messagechunk (message_id, start, text) SELECT id, start, text FROM ours WHERE text <> ''
), doing AS (
    UPDATE conversations_message AS message SET activity = ours.activity FROM ours
    WHERE message.id = ours.id AND ours.activity IS NOT NULL
)
SELECT array_agg(id), pg_notify('verbatim_live', '') FROM ours
"""

_SAVED = """
SELECT message_id, max(start + length(text)) FROM conversations_messagechunk
WHERE message_id = ANY(%s::uuid[]) GROUP BY message_id
"""

_STARTED = """
UPDATE conversations_generation AS call
SET response_id = s.response_id, request_id = s.request_id, model_answered = s.model
FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::text[]) AS s(id, response_id, request_id, model)
WHERE call.id = s.id AND call.status = 'running'
"""


@dataclass(eq=False)
class Recording:
    """One running answer: what has arrived, and how far it is saved."""

    message_id: UUID
    attempt: int
    on_lost: Callable[[], object]
    mark: Callable[[Recording, bool], None]
    text: str = ""
    saved: int = 0  # code points of `text` that are in the database
    activity: str | None = None  # not yet saved
    is_lost: bool = False

    def add(self, text: str) -> None:
        """Take new text; the first text of an answer is saved at once, the rest with the next flush."""
        is_first = not self.text
        self.text += text
        self.mark(self, is_first)

    def show(self, activity: str) -> None:
        """Say in one line what the answer is doing."""
        self.activity = activity[:200]
        self.mark(self, True)

    def lose(self) -> None:
        """Note that somebody else ended or took the answer, and tell its writer."""
        if not self.is_lost:
            self.is_lost = True
            self.on_lost()


@dataclass
class Recorder:
    """Writes the live text of all answers of this process."""

    _recordings: dict[UUID, Recording] = field(default_factory=dict)
    _changed: set[Recording] = field(default_factory=set)
    _urgent: set[Recording] = field(default_factory=set)  # of those that have changed
    _is_due: bool = False  # all that has changed is to be saved, not just what is urgent
    _started: list[tuple[UUID, str, str, str]] = field(default_factory=list)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _timer: asyncio.TimerHandle | None = None
    _task: asyncio.Task[None] | None = None
    _connection: psycopg.AsyncConnection[tuple[Any, ...]] | None = None

    def open(self, message_id: UUID, attempt: int, *, saved_text: str, on_lost: Callable[[], object]) -> Recording:
        """Begin to record an answer of which `saved_text` is in the database. `on_lost` is called at most once.

        An earlier writer of the same answer in this process, which slept until it was thought dead, loses it.
        """
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), name="recorder")
        earlier = self._recordings.get(message_id)
        if earlier is not None:
            self.close(earlier)
            earlier.lose()
        recording = Recording(message_id, attempt, on_lost, self._mark, saved_text, len(saved_text))
        self._recordings[message_id] = recording
        return recording

    def close(self, recording: Recording) -> None:
        """Forget an answer; text that is not saved yet is its writer's to save."""
        self._changed.discard(recording)
        self._urgent.discard(recording)
        if self._recordings.get(recording.message_id) is recording:
            del self._recordings[recording.message_id]

    async def save(self, recording: Recording, *, seconds: float = 5.0) -> None:
        """Wait until all text of an answer, and what the provider told of its call, is saved, at most `seconds`."""
        give_up_at = asyncio.get_running_loop().time() + seconds
        if self._recordings.setdefault(recording.message_id, recording) is not recording:
            return
        while (recording.saved < len(recording.text) or self._started) and not recording.is_lost:
            if asyncio.get_running_loop().time() > give_up_at:
                return
            self._changed.add(recording)
            self._ring()
            await asyncio.sleep(0.02)

    def note_started(self, generation_id: UUID, response_id: str, request_id: str, model: str) -> None:
        """Save the provider's ids of a call with the next flush."""
        self._started.append((generation_id, response_id, request_id, model))
        self._schedule()

    def _mark(self, recording: Recording, is_urgent: bool) -> None:
        if self._recordings.get(recording.message_id) is recording:
            self._changed.add(recording)
            if is_urgent:
                self._urgent.add(recording)
                self._wake.set()
            else:
                self._schedule()

    def _schedule(self) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(FLUSH_SECONDS, self._ring)

    def _ring(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._is_due = True
        self._wake.set()

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        away_since: float | None = None
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                await self._flush()
                away_since = None
            except (psycopg.Error, OSError) as error:
                away_since = away_since or loop.time()
                logger.warning("Live text waits for the database: %s", type(error).__name__)
                await self._drop_connection()
                if loop.time() - away_since > OUTAGE_SECONDS:
                    self._lose_all()
                await asyncio.sleep(RETRY_SECONDS)
                self._ring()

    async def _flush(self) -> None:
        if self._connection is None:
            self._connection = await connect("recorder")
            await self._find_saved(self._connection)
        # What is urgent does not take the rest along, or each answer that begins would make pages draw all the others.
        is_due, self._is_due = self._is_due, False
        changed = list(self._changed if is_due else self._urgent)
        self._changed.difference_update(changed)
        self._urgent.clear()
        if changed:
            await self._save(self._connection, changed)
        if is_due and self._started:
            started = self._started.copy()
            await self._connection.execute(_STARTED, [list(column) for column in zip(*started, strict=True)])
            del self._started[: len(started)]

    async def _save(self, connection: psycopg.AsyncConnection[tuple[Any, ...]], changed: list[Recording]) -> None:
        pieces = [(one, one.saved, one.text[one.saved :], one.activity) for one in changed]
        rows = [(one.message_id, one.attempt, start, text, activity) for one, start, text, activity in pieces]
        try:
            cursor = await connection.execute(_FLUSH, [list(column) for column in zip(*rows, strict=True)])
            found = await cursor.fetchone()
        except BaseException:
            self._changed.update(one for one in changed if self._recordings.get(one.message_id) is one)
            raise
        ours = set(found[0] or ()) if found else set()
        for one, start, text, activity in pieces:
            if one.message_id not in ours:
                if self._recordings.get(one.message_id) is one:  # else its writer has ended it while we wrote
                    self.close(one)
                    one.lose()
                continue
            one.saved = start + len(text)
            if one.activity == activity:
                one.activity = None

    async def _find_saved(self, connection: psycopg.AsyncConnection[tuple[Any, ...]]) -> None:
        """Learn how far each answer is saved: the last flush before the connection was lost may have been committed."""
        recordings = list(self._recordings.values())
        if not recordings:
            return
        cursor = await connection.execute(_SAVED, [[one.message_id for one in recordings]])
        saved = dict(await cursor.fetchall())
        for one in recordings:
            one.saved = int(saved.get(one.message_id, 0))

    async def _drop_connection(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(psycopg.Error, OSError):
                await connection.close()

    def _lose_all(self) -> None:
        for recording in list(self._recordings.values()):
            self.close(recording)
            recording.lose()


_recorders: dict[asyncio.AbstractEventLoop, Recorder] = {}


def recorder() -> Recorder:
    """Return the recorder of this process (of the running event loop)."""
    loop = asyncio.get_running_loop()
    if loop not in _recorders:
        _recorders.clear()  # loops that are gone
        _recorders[loop] = Recorder()
    return _recorders[loop]
