"""A server that speaks OpenAI's Responses API over real HTTP and server-sent events, with scripted answers and faults.

`python -m tests.fakes.openai_server --port 0` prints {"port": N} as its first line and serves on 127.0.0.1 until ended.
"""

import argparse
import asyncio
import contextlib
import signal
import socket
import struct
import sys
import time
from collections import deque
from typing import Any

import orjson
from aiohttp import web

from tests.fakes.answer import Answer, Defaults, count_input_tokens, last_user_text
from tests.fakes.process import FakeOpenAI
from tests.fakes.scenario import Scenario, decode_json, encode_json, find_marker
from tests.fakes.sending import send_frames

__all__ = ["FakeOpenAI", "FakeServer", "serve"]

MODELS = ("gpt-4o", "gpt-4o-2024-11-20", "gpt-4o-mini", "gpt-4.1")


class FakeServer:
    """All state of one server: the scripts waiting, the answers given, the requests seen."""

    def __init__(self, defaults: Defaults) -> None:
        self.defaults = defaults
        self.scripts: deque[dict[str, Any]] = deque()
        self.answers: dict[str, Answer] = {}
        self.requests: deque[dict[str, Any]] = deque(maxlen=20_000)
        self.failures: dict[str, int] = {}
        self.shutdown_dates: dict[str, str] = {}

    def app(self) -> web.Application:
        """The routes."""
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_post("/v1/responses", self.create)
        app.router.add_post("/v1/responses/input_tokens", self.input_tokens)
        app.router.add_get("/v1/responses/{id}", self.retrieve)
        app.router.add_post("/v1/responses/{id}/cancel", self.cancel)
        app.router.add_delete("/v1/responses/{id}", self.delete)
        app.router.add_get("/v1/models", self.models)
        app.router.add_post("/_control/script", self.script)
        app.router.add_post("/_control/models", self.set_shutdown_dates)
        app.router.add_post("/_control/reset", self.reset)
        app.router.add_get("/_control/requests", self.list_requests)
        return app

    # -- the API -----------------------------------------------------------------------------------------------------

    async def create(self, request: web.Request) -> web.StreamResponse:
        """POST /v1/responses"""
        body = await read_json(request)
        record = self._record(request, body)
        try:
            scenario = self._choose(last_user_text(body))
        except ValueError as exc:
            return self._answer_error(record, 400, {"message": str(exc), "type": "fake_error", "code": "bad_scenario"})
        answer = Answer(body, scenario, self.defaults)
        record["response_id"] = answer.id
        with recorded_disconnect(record):
            await asyncio.sleep(scenario.headers_ms / 1000)
            if scenario.status != 200 or scenario.body is not None:
                return self._fail(record, scenario)
            if answer.background or body.get("store", True):
                self.answers[answer.id] = answer
            if body.get("stream"):
                return await self._stream(request, record, answer, first=0, cut_at=answer.cut_at)
            if not answer.background:
                await asyncio.sleep(answer.frames[-1].due)
        record["status"] = 200
        return json_response(answer.response("queued") if answer.background else answer.finished())

    async def retrieve(self, request: web.Request) -> web.StreamResponse:
        """GET /v1/responses/{id}, also streamed again from an event on: `stream=true`, `starting_after=n`."""
        record = self._record(request, None)
        answer = self.answers.get(request.match_info["id"])
        if answer is None:
            return self._not_found(record, request)
        record["response_id"] = answer.id
        if request.query.get("stream") == "true":
            first = int(request.query.get("starting_after", "-1")) + 1
            with recorded_disconnect(record):
                return await self._stream(request, record, answer, first=first, cut_at=None)
        record["status"] = 200
        return json_response(answer.finished() if answer.is_over else answer.response("in_progress"))

    async def cancel(self, request: web.Request) -> web.StreamResponse:
        """POST /v1/responses/{id}/cancel"""
        record = self._record(request, None)
        answer = self.answers.get(request.match_info["id"])
        if answer is None or not answer.background:
            return self._not_found(record, request)
        record["status"], record["response_id"] = 200, answer.id
        if not answer.is_over:
            answer.cancelled = True
        return json_response(answer.finished())

    async def delete(self, request: web.Request) -> web.StreamResponse:
        """DELETE /v1/responses/{id}"""
        record = self._record(request, None)
        answer = self.answers.pop(request.match_info["id"], None)
        if answer is None:
            return self._not_found(record, request)
        record["status"], record["response_id"] = 200, answer.id
        return json_response({"id": answer.id, "object": "response", "deleted": True})

    async def input_tokens(self, request: web.Request) -> web.StreamResponse:
        """POST /v1/responses/input_tokens"""
        body = await read_json(request)
        self._record(request, body)["status"] = 200
        return json_response({"object": "response.input_tokens", "input_tokens": count_input_tokens(body)})

    async def models(self, request: web.Request) -> web.StreamResponse:
        """GET /v1/models"""
        self._record(request, None)["status"] = 200
        rows = [
            {
                "id": name,
                "object": "model",
                "created": 1_715_367_049,
                "owned_by": "system",
                "shutdown_date": self.shutdown_dates.get(name),
            }
            for name in MODELS
        ]
        return json_response({"object": "list", "data": rows})

    # -- control -----------------------------------------------------------------------------------------------------

    async def script(self, request: web.Request) -> web.StreamResponse:
        """Queue scenarios, one per coming create request; 400 for one that makes no sense."""
        wanted = decode_json(await request.read())
        try:
            for item in wanted:
                Scenario.parse(item)
        except (ValueError, TypeError) as exc:
            return web.Response(status=400, text=str(exc))
        self.scripts.extend(wanted)
        return json_response({"queued": len(self.scripts)})

    async def set_shutdown_dates(self, request: web.Request) -> web.StreamResponse:
        """Let GET /v1/models tell these models' `shutdown_date`: {"gpt-4o": "2027-01-14"}."""
        self.shutdown_dates = await read_json(request)
        return json_response({})

    async def reset(self, _request: web.Request) -> web.StreamResponse:
        """Forget every script, answer and request."""
        for store in (self.scripts, self.answers, self.requests, self.failures, self.shutdown_dates):
            store.clear()
        return json_response({})

    async def list_requests(self, _request: web.Request) -> web.StreamResponse:
        """Every API request seen, oldest first."""
        return json_response(list(self.requests))

    # -- how an answer is chosen and sent ----------------------------------------------------------------------------

    def _choose(self, prompt: str) -> Scenario:
        """The scenario for a prompt: its marker, else the first queued script that fits, else the default."""
        marker = find_marker(prompt)
        if marker is not None:
            scenario = Scenario.parse(decode_json(marker))
            seen = self.failures[marker] = self.failures.get(marker, 0) + 1
            return scenario.without_failure() if 0 < scenario.times < seen else scenario
        for i, keys in enumerate(self.scripts):
            scenario = Scenario.parse(keys)
            if scenario.match in prompt:
                left = scenario.times - 1
                if left > 0:
                    keys["times"] = left
                else:
                    del self.scripts[i]
                return scenario
        return Scenario()

    async def _stream(
        self, request: web.Request, record: dict[str, Any], answer: Answer, *, first: int, cut_at: int | None
    ) -> web.StreamResponse:
        record["status"] = 200
        response = web.StreamResponse(headers={"X-Request-Id": record["request_id"], **answer.scenario.headers})
        response.content_type = answer.scenario.content_type or "text/event-stream"
        response.charset = "utf-8"
        response.enable_chunked_encoding()
        await response.prepare(request)
        await response.write(b"")
        assert request.transport is not None
        await send_frames(request.transport, answer, record, first=first, cut_at=cut_at)
        if cut_at is not None and answer.scenario.cut == "reset":
            await asyncio.sleep(0.05)  # what was sent shall arrive before the reset does
            reset_connection(request)
        return response

    def _fail(self, record: dict[str, Any], scenario: Scenario) -> web.Response:
        record["status"] = scenario.status
        headers = {"X-Request-Id": record["request_id"], **scenario.headers}
        if scenario.body is not None:
            kind = scenario.content_type or "text/html"
            return web.Response(status=scenario.status, text=scenario.body, content_type=kind, headers=headers)
        return self._answer_error(record, scenario.status, dict(scenario.error or {"message": "Scripted"}), headers)

    def _not_found(self, record: dict[str, Any], request: web.Request) -> web.Response:
        message = f"Response with id '{request.match_info['id']}' not found."
        error = {"message": message, "type": "invalid_request_error", "param": None, "code": None}
        return self._answer_error(record, 404, error)

    def _answer_error(
        self, record: dict[str, Any], status: int, error: dict[str, Any], headers: dict[str, str] | None = None
    ) -> web.Response:
        record["status"] = status
        return json_response({"error": error}, status, headers or {"X-Request-Id": record["request_id"]})

    def _record(self, request: web.Request, body: object) -> dict[str, Any]:
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
            "closed_early": False,
        }
        self.requests.append(record)
        return record


async def read_json(request: web.Request) -> Any:
    """The JSON body of a request."""
    return decode_json(await request.read())


def json_response(value: object, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """A JSON answer."""
    return web.Response(body=encode_json(value), status=status, headers=headers, content_type="application/json")


@contextlib.contextmanager
def recorded_disconnect(record: dict[str, Any]) -> Any:
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


async def serve(port: int, defaults: Defaults, *, while_stdin_open: bool = False) -> None:
    """Serve until SIGTERM or SIGINT, or until whoever holds the other end of stdin is gone; prints the port first."""
    runner = web.AppRunner(FakeServer(defaults).app(), handler_cancellation=True, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port, backlog=1024)
    await site.start()
    print(orjson.dumps({"port": runner.addresses[0][1]}).decode(), flush=True)
    done = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, done.set)
    if while_stdin_open:
        loop.add_reader(sys.stdin.fileno(), done.set)
    await done.wait()
    await runner.cleanup()


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--tokens", type=int, default=30, help="deltas of an answer nobody scripted")
    parser.add_argument("--delay-ms", type=float, default=10.0, help="between two deltas")
    parser.add_argument("--while-stdin-open", action="store_true", help="end when stdin is closed")
    arguments = parser.parse_args()
    defaults = Defaults(tokens=arguments.tokens, delay_ms=arguments.delay_ms)
    asyncio.run(serve(arguments.port, defaults, while_stdin_open=arguments.while_stdin_open))


if __name__ == "__main__":
    main()
