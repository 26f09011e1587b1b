"""How the frames of a fake answer go out: each at its time, in one packet, in many, or cut within a character."""

import asyncio
import time
from collections.abc import Iterator
from typing import Any

from tests.fakes.answer import Answer
from tests.fakes.scenario import Scenario

HIGH_WATER = 1024 * 1024


async def send_frames(
    transport: asyncio.Transport, answer: Answer, record: dict[str, Any], *, first: int, cut_at: int | None
) -> None:
    """Write the frames from `first` on, each when it is due, as chunks of the open chunked body; return after the last.

    The chunks go to the transport itself, past aiohttp's writer: one delta costs one send and, where it has to wait,
    one timer, which is what lets one core feed hundreds of streams.
    """
    loop = asyncio.get_running_loop()
    scenario = answer.scenario
    for frame in answer.frames[first:cut_at]:
        while scenario.heartbeat_ms and answer.started + frame.due - loop.time() > scenario.heartbeat_ms / 1000:
            await asyncio.sleep(scenario.heartbeat_ms / 1000)
            transport.write(b"e\r\n: keep-alive\n\n\r\n")
        wait = answer.started + frame.due - loop.time()
        if wait > 0:
            await asyncio.sleep(wait)
        else:
            await asyncio.sleep(0)  # a packet of its own, and other streams get their turn
        if answer.cancelled:
            return
        if transport.is_closing():
            raise ConnectionResetError
        for piece in split(frame.data, scenario):
            transport.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            if len(piece) != len(frame.data):
                await asyncio.sleep(0)
        if frame.deltas and not record["first_text_seconds"]:
            record["first_text_seconds"] = time.time() - record["at"]
        while transport.get_write_buffer_size() > HIGH_WATER:
            await asyncio.sleep(0.01)
        record["deltas_sent"] = frame.deltas


def split(data: bytes, scenario: Scenario) -> Iterator[bytes]:
    """The pieces of one frame, each a packet of its own."""
    if scenario.packet_bytes:
        for start in range(0, len(data), scenario.packet_bytes):
            yield data[start : start + scenario.packet_bytes]
        return
    if scenario.split_utf8 and not data.isascii():
        middle = next(i for i, byte in enumerate(data) if byte >= 0x80) + 1
        yield data[:middle]
        yield data[middle:]
        return
    yield data
