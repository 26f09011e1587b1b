"""An object as an asynchronous iterator, read by threads of its own pool: the event loop never waits for storage."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from conversations.files.objects import CHUNK, Reader, StorageProblem

# A thread is taken for one chunk at a time, so few serve many downloads.
_pool = ThreadPoolExecutor(max_workers=16, thread_name_prefix="files")


class PatientReader(Protocol):
    """A reader whose chunks may take several steps; `read` gives None where the next one is not ready yet."""

    def read(self, amount: int, /) -> bytes | None: ...

    def close(self) -> None: ...


class Stream(AsyncIterator[bytes]):
    """The bytes of one object in chunks. Storage is asked when the first one is wanted, and two at most are in memory.

    It ends by itself. Whoever leaves earlier calls `close` (Django does so with a response) or `aclose`, or is
    cancelled while waiting: what is read at that moment would be missing afterwards, so nothing more is given then.
    """

    def __init__(self, open_reader: Callable[[], Reader | PatientReader], *, pool: ThreadPoolExecutor = _pool) -> None:
        self._open_reader = open_reader
        self._pool = pool
        self._reader: Reader | PatientReader | None = None
        self._lock = threading.Lock()  # a reader is never closed while another thread reads from it
        self._is_over = self._is_left = False

    @property
    def is_done(self) -> bool:
        """Whether nothing more will come, however that came about."""
        return self._is_over or self._is_left

    async def __anext__(self) -> bytes:
        try:
            while (chunk := await asyncio.wrap_future(self._pool.submit(self._read))) is None:
                pass
        except asyncio.CancelledError:
            self.close()
            raise
        if not chunk:
            raise StopAsyncIteration
        return chunk

    async def aclose(self) -> None:
        """Close it and wait until that is done."""
        self._is_left = True
        await asyncio.wrap_future(self._pool.submit(self._release))

    def close(self) -> None:
        """Close it as soon as the chunk that is being read has come."""
        self._is_left = True
        with contextlib.suppress(RuntimeError):  # the process ends, and the connection with it
            self._pool.submit(self._release)

    def _read(self) -> bytes | None:
        chunk: bytes | None = b""
        with self._lock:
            if self._is_over:
                return b""
            if self._is_left:
                raise StorageProblem("The stream was closed before its end")
            try:
                if self._reader is None:
                    self._reader = self._open_reader()
                chunk = self._reader.read(CHUNK)
                self._is_over = chunk == b""
            except BaseException:
                self._is_left = True
                raise
            finally:
                if chunk == b"":
                    self._close_reader()
        return chunk

    def _release(self) -> None:
        with self._lock:
            self._close_reader()

    def _close_reader(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.close()


class Begun(AsyncIterator[bytes]):
    """A stream whose first chunk has been read, as a response's body. Django closes it with the response."""

    def __init__(self, first: bytes, rest: Stream) -> None:
        self._first: bytes | None = first
        self._rest = rest

    async def __anext__(self) -> bytes:
        if self._first is None:
            return await anext(self._rest)
        first, self._first = self._first, None
        return first

    def close(self) -> None:
        """Close the stream."""
        self._rest.close()
