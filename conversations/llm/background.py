"""Background mode: an answer that goes on at the provider without us, and can be picked up again."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import TYPE_CHECKING

from conversations.llm.calls import one_call
from conversations.llm.client import get_client
from conversations.llm.events import Event
from conversations.llm.stream import DEFAULT_TIMEOUTS, HEADERS, Call, read_stream
from conversations.llm.watchdog import Timeouts

if TYPE_CHECKING:
    from openai import AsyncOpenAI


def resume(response_id: str, *, timeouts: Timeouts = DEFAULT_TIMEOUTS) -> AsyncGenerator[Event]:
    """Yield the answer's events again from the first one on, then the ones still to come, just as `stream` does.

    Possible only for a response made in background mode, and for some ten minutes safely ("Background mode" in OpenAI's
    guides); after that it raises ModelError `provider_error`.
    """

    def call(client: "AsyncOpenAI") -> Call:
        return client.responses.with_streaming_response.retrieve(response_id, stream=True, extra_headers=HEADERS)

    return read_stream(call, timeouts, response_id)


async def cancel(response_id: str) -> None:
    """Stop the answer at the provider, and with it what it costs. One that is over or gone stays as it is."""
    await _call(lambda client: client.responses.with_raw_response.cancel(response_id), response_id)


async def delete(response_id: str) -> None:
    """Delete the answer the provider keeps; one that is gone already is no error, so this may be repeated."""
    await _call(lambda client: client.responses.with_raw_response.delete(response_id), response_id)


async def _call(call: "Callable[[AsyncOpenAI], Awaitable[object]]", response_id: str) -> None:
    import openai  # not at the top: see `client._make_client`

    async with one_call(response_id=response_id):
        try:
            await call(get_client())
        except openai.NotFoundError:
            return
