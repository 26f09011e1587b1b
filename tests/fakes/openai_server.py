"""A server that speaks OpenAI's Responses API over real HTTP and server-sent events, with scripted answers and faults.

`python -m tests.fakes.openai_server --port 0` prints {"port": N} as its first line and serves on 127.0.0.1 until ended.
"""

import argparse
import asyncio
import signal
import sys
from collections import deque
from typing import Any

import orjson
from aiohttp import web

from tests.fakes.answer import Answer, Defaults
from tests.fakes.asked import count_input_tokens, last_user_text
from tests.fakes.checking import find_mistake
from tests.fakes.files import FileRoutes
from tests.fakes.process import FakeOpenAI
from tests.fakes.replies import RequestLog, json_response, read_json, recorded_disconnect, reset_connection
from tests.fakes.scenario import Scenario, decode_json, find_marker
from tests.fakes.sending import send_frames

__all__ = ["FakeOpenAI", "FakeServer", "serve"]

MAX_BODY_BYTES = 128 * 1024 * 1024
MODELS = ("gpt-4o", "gpt-4o-2024-11-20", "gpt-4o-mini", "gpt-4.1")


class FakeServer:
    """All state of one server: the scripts waiting, the answers given, the requests seen."""

    def __init__(self, defaults: Defaults) -> None:
        self.defaults = defaults
        self.scripts: deque[dict[str, Any]] = deque()
        self.answers: dict[str, Answer] = {}
        self.calls: dict[str, Scenario] = {}  # what comes next, by the ids of the function calls waiting for outputs
        self.log = RequestLog()
        self.files = FileRoutes(self.log)
        self.failures: dict[str, int] = {}
        self.shutdown_dates: dict[str, str] = {}
        self.models_answer: dict[str, Any] = {}  # in place of the list of models: "status", "body", "content_type"

    def app(self) -> web.Application:
        """The routes."""
        app = web.Application(client_max_size=MAX_BODY_BYTES)
        app.router.add_post("/v1/responses", self.create)
        app.router.add_post("/v1/responses/input_tokens", self.input_tokens)
        app.router.add_get("/v1/responses/{id}", self.retrieve)
        app.router.add_post("/v1/responses/{id}/cancel", self.cancel)
        app.router.add_delete("/v1/responses/{id}", self.delete)
        app.router.add_get("/v1/models", self.models)
        self.files.add_to(app)
        app.router.add_post("/_control/script", self.script)
        app.router.add_post("/_control/models", self.set_shutdown_dates)
        app.router.add_post("/_control/reset", self.reset)
        app.router.add_get("/_control/requests", self.list_requests)
        app.router.add_get("/_control/first_texts", self.list_first_texts)
        return app

    # -- the API -----------------------------------------------------------------------------------------------------

    async def create(self, request: web.Request) -> web.StreamResponse:
        """POST /v1/responses"""
        body = await read_json(request)
        record = self.log.add(request, body)
        try:
            scenario = self._next_step(body) or self._choose(last_user_text(body))
        except ValueError as exc:
            return self.log.refuse(record, 400, {"message": str(exc), "type": "fake_error", "code": "bad_scenario"})
        mistake = find_mistake(body, self.files.uploads)
        if mistake:
            return self.log.refuse(record, 400, {"message": mistake, "type": "invalid_request_error", "code": None})
        answer = Answer(body, scenario, self.defaults)
        record["response_id"] = answer.id
        with recorded_disconnect(record):
            await asyncio.sleep(scenario.headers_ms / 1000)
            if scenario.status != 200 or scenario.body is not None:
                return self._fail(record, scenario)
            self._keep_tools(answer)
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
        record = self.log.add(request, None)
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
        record = self.log.add(request, None)
        answer = self.answers.get(request.match_info["id"])
        if answer is None or not answer.background:
            return self._not_found(record, request)
        record["status"], record["response_id"] = 200, answer.id
        if not answer.is_over:
            answer.cancelled = True
        return json_response(answer.finished())

    async def delete(self, request: web.Request) -> web.StreamResponse:
        """DELETE /v1/responses/{id}"""
        record = self.log.add(request, None)
        answer = self.answers.pop(request.match_info["id"], None)
        if answer is None:
            return self._not_found(record, request)
        record["status"], record["response_id"] = 200, answer.id
        return json_response({"id": answer.id, "object": "response", "deleted": True})

    async def input_tokens(self, request: web.Request) -> web.StreamResponse:
        """POST /v1/responses/input_tokens"""
        body = await read_json(request)
        self.log.add(request, body)["status"] = 200
        return json_response({"object": "response.input_tokens", "input_tokens": count_input_tokens(body)})

    async def models(self, request: web.Request) -> web.StreamResponse:
        """GET /v1/models"""
        record = self.log.add(request, None)
        record["status"] = self.models_answer.get("status", 200)
        if self.models_answer:
            kind = self.models_answer.get("content_type", "application/json")
            return web.Response(status=record["status"], text=self.models_answer["body"], content_type=kind)
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
        """Let GET /v1/models tell each model's `shutdown_date`, as {"gpt-4o": "2027-01-14"}, or what "answer" says."""
        told = await read_json(request)
        self.models_answer = told.pop("answer", {})
        self.shutdown_dates = told
        return json_response({})

    async def reset(self, _request: web.Request) -> web.StreamResponse:
        """Forget every script, answer and request."""
        for store in (self.scripts, self.answers, self.log.requests, self.failures, self.shutdown_dates, self.calls):
            store.clear()
        self.models_answer = {}
        self.files.clear()
        return json_response({})

    async def list_requests(self, request: web.Request) -> web.StreamResponse:
        """The API requests seen, oldest first: those of the `path` asked for whose input is `holding` a text."""
        path, text = request.query.get("path", ""), request.query.get("holding", "")
        seen = [record for record in self.log.requests if path in ("", record["path"])]
        return json_response([record for record in seen if not text or text in str(record["body"]["input"])])

    async def list_first_texts(self, _request: web.Request) -> web.StreamResponse:
        """Seconds from the arrival of each request to the first text of its answer, none without text."""
        return json_response([r["first_text_seconds"] for r in self.log.requests if r["first_text_seconds"]])

    # -- how an answer is chosen and sent ----------------------------------------------------------------------------

    def _next_step(self, body: Any) -> Scenario | None:
        """The scenario that goes on where the input ends with the output of a function call."""
        sent = body.get("input")
        last = sent[-1] if isinstance(sent, list) and sent else {}
        return self.calls.get(str(last.get("call_id"))) if last.get("type") == "function_call_output" else None

    def _keep_tools(self, answer: Answer) -> None:
        """Keep what the answer's tools make for the requests that will ask for it."""
        for call in answer.calls:
            self.calls[call.done["call_id"]] = answer.scenario.next_step()
        if answer.container is not None:
            self.files.containers[answer.container.id] = answer.container

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
        return self.log.refuse(record, scenario.status, dict(scenario.error or {"message": "Scripted"}), headers)

    def _not_found(self, record: dict[str, Any], request: web.Request) -> web.Response:
        message = f"Response with id '{request.match_info['id']}' not found."
        error = {"message": message, "type": "invalid_request_error", "param": None, "code": None}
        return self.log.refuse(record, 404, error)


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
