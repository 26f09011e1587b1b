"""What every route of the fake server needs: the record of requests, JSON in and out, broken connections."""

import asyncio
import contextlib
import socket
import struct
import time
from collections import deque
from collections.abc import Iterator
from typing import Any

from aiohttp import web

from tests.fakes.scenario import decode_json, encode_json


class RequestLog:
    """The API requests seen, oldest first."""

    def __init__(self) -> None:
        self.requests: deque[dict[str, Any]] = deque(maxlen=20_000)

    def add(self, request: web.Request, body: object) -> dict[str, Any]:
        """Record a request; what becomes of it is written into the record that is returned."""
        headers = {name: value for name, value in request.headers.items() if name.lower() != "authorization"}
        key = request.headers.get("Authorization", "")
        record: dict[str, Any] = {
            "at": time.time(),
            "method": request.method,
            "path": request.path,
            "peer": request.transport.get_extra_info("peername")[1] if request.transport else 0,
            "query": dict(request.query),
            "headers": headers | ({"Authorization": key[-4:]} if key else {}),
            "body": body,
            "request_id": f"req_{len(self.requests) + 1}",
            "response_id": "",
            "status": None,
            "deltas_sent": 0,
            "first_text_seconds": 0.0,
            "bytes_sent": 0,
            "closed_early": False,
        }
        self.requests.append(record)
        return record

    def refuse(
        self, record: dict[str, Any], status: int, error: dict[str, Any], headers: dict[str, str] | None = None
    ) -> web.Response:
        """An error's answer, recorded."""
        record["status"] = status
        return json_response({"error": error}, status, headers or {"X-Request-Id": record["request_id"]})


async def read_json(request: web.Request) -> Any:
    """The JSON body of a request."""
    return decode_json(await request.read())


def json_response(value: object, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """A JSON answer."""
    return web.Response(body=encode_json(value), status=status, headers=headers, content_type="application/json")


@contextlib.contextmanager
def recorded_disconnect(record: dict[str, Any]) -> Iterator[None]:
    """Note in the record that the client left: its handler is cancelled then."""
    try:
        yield
    except (asyncio.CancelledError, ConnectionError):
        record["closed_early"] = True
        raise


def reset_connection(request: web.Request) -> None:
    """End the connection with a TCP RST in place of a clean close."""
    assert request.transport is not None
    sock: socket.socket = request.transport.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    request.transport.abort()
