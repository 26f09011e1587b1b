"""The one place where the openai package's client is made: lazily, once per event loop."""

import asyncio
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from django.conf import settings

from conversations.llm.errors import ModelError

if TYPE_CHECKING:
    from openai import AsyncOpenAI

OPENAI_URL = "https://api.openai.com/v1"
CONNECT_SECONDS = 5.0
# A fresh TLS handshake costs more than the first tokens do; an idle connection is kept this long for the next answer.
KEEP_ALIVE_SECONDS = 30.0
MAX_CONNECTIONS = 1_000

type _Address = tuple[str, str]
_clients: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[_Address, "AsyncOpenAI"]] = WeakKeyDictionary()


def get_client() -> "AsyncOpenAI":
    """Return this event loop's client for the key and address of the settings.

    It never retries by itself, since the API knows no idempotency key and a retry may be billed twice; and it never
    limits a read, since how long silence may last depends on what the model is doing (see `Watchdog`).
    Raises ModelError `no_key` where neither a key nor an address of one's own is set.
    """
    key, url = settings.OPENAI_API_KEY, settings.OPENAI_BASE_URL
    if not key and not url:
        raise ModelError("no_key", "OPENAI_API_KEY and OPENAI_BASE_URL are both empty")
    clients = _clients.setdefault(asyncio.get_running_loop(), {})
    address = (key, url)
    if address not in clients:
        clients[address] = _make_client(key or "none", url or OPENAI_URL)
    return clients[address]


def _make_client(key: str, url: str) -> "AsyncOpenAI":
    # Imported here because it costs 0.8 s and 50 MB, which the web processes, who never call the model, need not pay.
    import httpx2
    import openai

    from conversations.llm.transport import Transport

    timeout = httpx2.Timeout(None, connect=CONNECT_SECONDS, pool=CONNECT_SECONDS)
    transport = Transport(max_connections=MAX_CONNECTIONS, keep_alive_seconds=KEEP_ALIVE_SECONDS)
    client = openai.DefaultAsyncHttpxClient(timeout=timeout, transport=transport)
    # Without TLS a new connection costs nothing, and llama.cpp's server closes one that it promised to keep alive after
    # streaming over it, which now and then would break the next request.
    headers = {"Connection": "close"} if url.startswith("http:") else {}
    return openai.AsyncOpenAI(
        api_key=key, base_url=url, max_retries=0, timeout=timeout, http_client=client, default_headers=headers
    )


async def close_clients() -> None:
    """Close this event loop's connections to the model; for a process that ends."""
    for client in _clients.pop(asyncio.get_running_loop(), {}).values():
        await client.close()
