"""A proxy between the application and S3 that breaks things on request."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

CHUNK = 64 * 1024
FOREVER = 1_000_000


@dataclass(frozen=True)
class Fault:
    """What goes wrong, `times` times, with requests of a method (of any where it is empty).

    Without any other field the connection is closed without an answer, before the request reaches the server.
    """

    method: str = ""
    times: int = FOREVER
    status: int = 0  # answered in the server's place
    code: str = "SlowDown"
    cut_request: int | None = None  # bytes of the request's body after which the connection is cut
    cut_answer: int | None = None  # the same of the answer's; with 0 not even its head comes through
    flip: int | None = None  # the byte that is changed: of the request's body with PUT, otherwise of the answer's
    whole: bool = False  # the request for a part of an object is answered with all of it
    pause: float = 0.0  # seconds before each chunk of the answer, its head included


class _Cut(Exception):
    pass


class FaultyProxy:
    """Listens at `url` and hands everything to `target` as it is, until `fail` says otherwise."""

    def __init__(self, target: str) -> None:
        address = urlsplit(target)
        self._target = (address.hostname or "", address.port or 80)
        self._faults: list[tuple[Fault, list[int]]] = []
        self._lock = threading.Lock()
        self.seen: list[tuple[str, str]] = []  # method and path of every request
        self.headers: set[str] = set()  # names of every request's headers, in small letters
        self.sent = 0  # bytes of bodies given to the application
        self.busy = 0  # requests that are being served

        class Handler(_Handler):
            proxy = self

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def fail(self, fault: Fault) -> None:
        """Let this go wrong after the faults that were asked for before."""
        with self._lock:
            self._faults.append((fault, [fault.times]))

    def heal(self) -> None:
        """Let nothing go wrong any more, and forget what was seen."""
        with self._lock:
            self._faults.clear()
            self.seen.clear()

    def count(self, method: str) -> int:
        """How many requests of a method came."""
        return sum(1 for seen, _ in self.seen if seen == method)

    def note_busy(self, change: int) -> None:
        with self._lock:
            self.busy += change

    def next_fault(self, method: str, path: str) -> Fault | None:
        """Note a request and return what goes wrong with it."""
        with self._lock:
            self.seen.append((method, path))
            for fault, left in self._faults:
                if left[0] and fault.method in ("", method):
                    left[0] -= 1
                    return fault
        return None

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(*self._target, timeout=60)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    proxy: FaultyProxy

    def _pass(self) -> None:
        self.proxy.note_busy(+1)
        self.proxy.headers.update(name.lower() for name in self.headers)
        fault = self.proxy.next_fault(self.command, self.path)
        try:
            if fault is not None and fault == Fault(fault.method, fault.times):
                raise _Cut  # noqa: TRY301
            if fault is not None and fault.status:
                self._answer_instead(fault)
            else:
                self._relay(fault or Fault())
        except (_Cut, OSError):
            self.close_connection = True
        finally:
            self.proxy.note_busy(-1)

    do_GET = do_PUT = do_HEAD = do_DELETE = do_POST = _pass

    def _answer_instead(self, fault: Fault) -> None:
        self._copy(self.rfile.read, int(self.headers.get("Content-Length") or 0), lambda chunk: None)
        body = f"<Error><Code>{fault.code}</Code></Error>".encode()
        self.send_response(fault.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(b"" if self.command == "HEAD" else body)

    def _relay(self, fault: Fault) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        is_put = self.command == "PUT"
        connection = self.proxy.connect()
        try:
            connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in ("expect", "range" if fault.whole else ""):
                    connection.putheader(name, value)
            connection.endheaders()
            flip = fault.flip if is_put else None
            self._copy(self.rfile.read, length, connection.send, cut=fault.cut_request, flip=flip)
            answer = connection.getresponse()
            time.sleep(fault.pause)
            if fault.cut_answer == 0:
                raise _Cut
            self.send_response_only(answer.status, answer.reason)
            for name, value in answer.getheaders():
                if name.lower() not in ("connection", "transfer-encoding"):
                    self.send_header(name, value)
            self.end_headers()
            size = 0 if self.command == "HEAD" else int(answer.getheader("Content-Length") or 0)
            flip = None if is_put else fault.flip
            self._copy(answer.read, size, self._give, cut=fault.cut_answer, flip=flip, pause=fault.pause)
        finally:
            connection.close()

    def _give(self, chunk: bytes) -> None:
        self.wfile.write(chunk)
        self.proxy.sent += len(chunk)

    def _copy(
        self,
        read: Callable[[int], bytes],
        length: int,
        write: Callable[[bytes], object],
        *,
        cut: int | None = None,
        flip: int | None = None,
        pause: float = 0.0,
    ) -> None:
        done = 0
        while done < length:
            if cut is not None and done >= cut:
                raise _Cut
            time.sleep(pause)
            chunk = read(min(CHUNK, length - done, FOREVER if cut is None else cut - done))
            if not chunk:
                raise _Cut
            if flip is not None and done <= flip < done + len(chunk):
                at = flip - done
                chunk = chunk[:at] + bytes([chunk[at] ^ 1]) + chunk[at + 1 :]
            write(chunk)
            done += len(chunk)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""
