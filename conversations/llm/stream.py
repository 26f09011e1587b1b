"""One model call as a stream of events."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import TYPE_CHECKING, Any

from conversations.llm.client import get_client
from conversations.llm.decode import EventDecoder, storable
from conversations.llm.errors import ModelError, from_exception, transport_errors
from conversations.llm.events import ID_CHARACTERS, Event
from conversations.llm.hold import READ_HOLD, ReadHold
from conversations.llm.reading import Reading
from conversations.llm.request import ModelRequest
from conversations.llm.watchdog import Timeouts, Watchdog

if TYPE_CHECKING:
    from openai import AsyncAPIResponse, AsyncOpenAI

type Call = contextlib.AbstractAsyncContextManager["AsyncAPIResponse[Any]"]

DEFAULT_TIMEOUTS = Timeouts()
# A compressing proxy would hold deltas back to fill its window.
HEADERS = {"Accept-Encoding": "identity"}
# Text is saved a few times a second, so packets are read together once the first text is there: a read costs more than
# what is in it. All answers are read at the same ticks of the clock, so that one flush saves what they brought.
PACE_SECONDS = 0.18
DRAIN_SECONDS = 1.0


def stream(request: ModelRequest, *, timeouts: Timeouts = DEFAULT_TIMEOUTS) -> AsyncGenerator[Event]:
    """Ask the model and yield its answer as it comes; see `events` for the order.

    Ends after Finished, or by raising ModelError, the only error there is; what was yielded before stays true. A clean
    end of the connection is not an end of the answer. Close the generator (`contextlib.aclosing`) to stop the answer:
    that closes the provider's stream, which is what cancels a plain one.
    """

    def call(client: "AsyncOpenAI") -> Call:
        # Everything travels in extra_body: the record keeps what was sent, so nothing may be reshaped on the way.
        return client.responses.with_streaming_response.create(
            stream=True, extra_body=request.body(), extra_headers=HEADERS
        )

    return read_stream(call, timeouts)


async def read_stream(
    call: Callable[["AsyncOpenAI"], Call], timeouts: Timeouts, response_id: str = ""
) -> AsyncGenerator[Event]:
    """Make the call and yield the events of its response; everything that goes wrong becomes a ModelError."""
    reading = Reading(response_id)
    try:
        client = get_client()
        async with contextlib.AsyncExitStack() as stack:
            source = _Source(timeouts, reading, stack)
            await source.open(call(client))
            while not reading.is_finished:
                payloads = await source.next_payloads()
                for event in reading.read(payloads) if payloads else reading.rest():
                    yield event
                if reading.failure is not None:
                    raise reading.failure
            await source.drain()
    except ModelError as error:
        error.request_id = error.request_id or reading.request_id
        error.response_id = reading.response_id
        error.retryable = error.retryable and not reading.has_output
        raise


class _Source:
    """Where the events come from: waits for them no longer than allowed, and speaks of nothing but ModelErrors."""

    def __init__(self, timeouts: Timeouts, reading: Reading, stack: contextlib.AsyncExitStack) -> None:
        self._timeouts = timeouts
        self._reading = reading
        self._stack = stack
        self._watchdog = Watchdog(timeouts.total)
        self._decoder = EventDecoder()
        self._packets: AsyncIterator[bytes]
        self._hold: ReadHold
        stack.callback(self._watchdog.stop)

    async def open(self, call: Call) -> None:
        """Send the request; its answer, closed with the stack, has to be an event stream."""
        try:
            response = await self._watchdog.wait(self._stack.enter_async_context(call), self._timeouts.first_event)
        except TimeoutError:
            raise self._timeout_error(self._timeouts.first_event) from None
        except transport_errors() as exc:
            raise from_exception(exc) from exc
        self._reading.request_id = storable(response.request_id, ID_CHARACTERS)
        kind = response.headers.get("content-type", "none")
        if not kind.startswith("text/event-stream"):
            raise ModelError("protocol", f"HTTP {response.status_code} with content type {kind}, not an event stream")
        self._hold = response.http_response.extensions[READ_HOLD]
        self._packets = response.iter_bytes()

    async def next_payloads(self) -> list[bytes]:
        """Return the next events, those of one packet; none where none will come: the reading's `failure` says why."""
        seconds = self._patience()
        if self._reading.has_text:
            await self._next_tick()
            if self._watchdog.is_over:  # which rings only while something is waited for
                self._reading.failure = self._timeout_error(seconds)
                return []
        try:
            payloads = await self._watchdog.wait(self._read(), seconds)
        except TimeoutError:
            self._reading.failure = self._timeout_error(seconds)
        except transport_errors() as exc:
            self._reading.failure = from_exception(exc)
        else:
            if payloads:
                return payloads
            self._reading.failure = ModelError("connection", "the stream ended without a terminal event")
        return []

    async def _next_tick(self) -> None:
        loop = asyncio.get_running_loop()
        self._hold.hold()
        await asyncio.sleep(PACE_SECONDS - loop.time() % PACE_SECONDS)
        self._hold.release()

    async def _read(self) -> list[bytes]:
        # Comments, which proxies send to keep a connection open, are no events: the wait goes on.
        async for packet in self._packets:
            payloads = self._decoder.feed(packet)
            if payloads:
                return payloads
        return []

    async def drain(self) -> None:
        """Read to the end of the body, so that the connection can carry the next answer."""
        with contextlib.suppress(TimeoutError, *transport_errors()):
            async with asyncio.timeout(DRAIN_SECONDS):
                async for _ in self._packets:
                    pass

    def _patience(self) -> float:
        if not self._reading.is_started:
            return self._timeouts.first_event
        return self._timeouts.tool if self._reading.may_be_silent else self._timeouts.between_events

    def _timeout_error(self, seconds: float) -> ModelError:
        if self._watchdog.is_over:
            total = self._timeouts.total
            message = (
                f"The answer took longer than {total / 60:.0f} minutes. What the model had written is kept. Retry."
            )
            return ModelError("timeout", f"no end after {total:g} s", message=message)
        message = f"The model sent nothing for {seconds:.0f} seconds. What it had written is kept. Retry."
        return ModelError("timeout", f"no event for {seconds:g} s", message=message)
