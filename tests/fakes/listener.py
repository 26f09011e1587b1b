"""A system that listens for webhooks: a real HTTP server that can be down, slow, rude or wrong."""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from chatapp.embedded.ports import find_free_port


@dataclass(frozen=True)
class Received:
    """A request as it came in."""

    path: str
    headers: dict[str, str]  # names in lower case
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def told(self) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(self.body)
        return told


@dataclass(frozen=True)
class Answer:
    """What a request is answered with. `seconds`: how long to wait first. `raw`: these bytes in place of HTTP."""

    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    seconds: float = 0
    raw: bytes | None = None


class Listener:
    """Serves on a port of 127.0.0.1 that it keeps while it is down. `answers` are given in turn, then `usually`."""

    def __init__(self, *, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> None:
        self.received: list[Received] = []
        self.answers: list[Answer] = []
        self.usually: Callable[[Received], Answer] = lambda received: Answer()
        self._tls, self._host = tls, host
        self._server: ThreadingHTTPServer | None = None
        self.port = find_free_port()

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://{self._host}:{self.port}/hook?from=chat"

    def open(self) -> None:
        """Begin to listen."""
        server = ThreadingHTTPServer(("127.0.0.1", self.port), self._handler())
        if self._tls:
            server.socket = self._tls.wrap_socket(server.socket, server_side=True)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        self._server = server

    def close(self) -> None:
        """Go down: connections are refused from now on."""
        server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        listener = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                received = Received(self.path, headers, body)
                listener.received.append(received)
                answer = listener.answers.pop(0) if listener.answers else listener.usually(received)
                time.sleep(answer.seconds)
                self._give(answer)

            def do_GET(self) -> None:
                listener.received.append(Received(self.path, {}, b""))
                self._give(Answer())

            def _give(self, answer: Answer) -> None:
                try:
                    if answer.raw is not None:
                        self.close_connection = True
                        self.wfile.write(answer.raw)
                        return
                    self.send_response(answer.status)
                    for name, value in answer.headers.items():
                        self.send_header(name, value)
                    if "Content-Length" not in answer.headers:
                        self.send_header("Content-Length", str(len(answer.body)))
                    self.end_headers()
                    self.wfile.write(answer.body)
                except OSError:
                    pass  # who asked has hung up

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        return Handler

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
