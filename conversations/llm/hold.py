"""Holding up the reading of a response: the kernel gathers what comes in, and many packets cost one read."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio

    import aiohttp

READ_HOLD = "read_hold"  # the extension of a response of `Transport` that is its ReadHold


class ReadHold:
    """Stops and goes on reading a response's connection. Both may be called at any time, also after its end."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        self._held: asyncio.Transport | None = None

    def hold(self) -> None:
        """Leave what comes in to the kernel."""
        connection = self._response.connection  # none once the body is complete
        transport = connection.transport if connection is not None else None
        if transport is not None and transport.is_reading():
            transport.pause_reading()
            self._held = transport

    def release(self) -> None:
        """Read on."""
        transport, self._held = self._held, None
        if transport is not None and not transport.is_closing():
            transport.resume_reading()
