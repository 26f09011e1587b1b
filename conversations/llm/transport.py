"""How the openai package's requests travel: over aiohttp, with a `ReadHold` for each response.

The package's own aiohttp transport hides the connection. This module is imported only where a client is made, since
aiohttp and httpx2 cost 50 MB.
"""

from collections.abc import AsyncIterator
from typing import override

import aiohttp
import httpx2

from conversations.llm.hold import READ_HOLD, ReadHold

PIECE_BYTES = 64 * 1024


class Transport(httpx2.AsyncBaseTransport):
    """One aiohttp session. Proxies and certificates of the environment count, as they do for httpx2's own."""

    def __init__(self, *, max_connections: int, keep_alive_seconds: float) -> None:
        connector = aiohttp.TCPConnector(
            limit=max_connections, keepalive_timeout=keep_alive_seconds, ssl=httpx2.create_ssl_context()
        )
        self._session = aiohttp.ClientSession(
            connector=connector, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False, trust_env=True
        )

    @override
    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        limits = request.extensions.get("timeout", {})
        timeout = aiohttp.ClientTimeout(
            total=None, connect=limits.get("pool"), sock_connect=limits.get("connect"), sock_read=limits.get("read")
        )
        response = await self._session.request(
            request.method,
            str(request.url),
            headers=request.headers.multi_items(),
            data=await request.aread() or None,
            allow_redirects=False,
            timeout=timeout,
        )
        return httpx2.Response(
            response.status,
            headers=response.raw_headers,
            stream=_Body(response),
            extensions={READ_HOLD: ReadHold(response)},
        )

    @override
    async def aclose(self) -> None:
        await self._session.close()


class _Body(httpx2.AsyncByteStream):
    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response

    @override
    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._response.content.iter_chunked(PIECE_BYTES):
            yield piece

    @override
    async def aclose(self) -> None:
        self._response.release()
