"""The fake OpenAI server as a process of its own, for tests and benchmarks."""

import subprocess
import sys
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.fakes.scenario import decode_json, encode_json

ROOT = Path(__file__).resolve().parents[2]
STOP_SECONDS = 10


class FakeOpenAI:
    """Starts the fake server on a free port and ends it, and nothing else, when the block is left.

    `tokens` and `delay_ms` say what an answer is that nobody scripted. The server also ends when this process dies.
    """

    def __init__(self, *, tokens: int = 30, delay_ms: float = 2.0) -> None:
        self._options = ["--tokens", str(tokens), "--delay-ms", str(delay_ms), "--while-stdin-open"]
        self._process: subprocess.Popen[bytes] | None = None
        self._origin = ""
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def start(self) -> Self:
        """Start the process and wait for its port."""
        command = [sys.executable, "-m", "tests.fakes.openai_server", "--port", "0", *self._options]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        first_line = self._process.stdout.readline()
        if not first_line:
            self.stop()
            raise RuntimeError("The fake OpenAI server ended before it told its port; its error is above")
        self._origin = f"http://127.0.0.1:{decode_json(first_line)['port']}"
        return self

    def stop(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def base_url(self) -> str:
        """What OPENAI_BASE_URL is set to."""
        return f"{self._origin}/v1"

    def script(self, scenarios: Sequence[Mapping[str, Any]]) -> None:
        """Queue scenarios (see `Scenario`), one per coming request without a marker; nonsense raises HTTPError 400."""
        self._call("POST", "/_control/script", list(scenarios))

    def set_shutdown_dates(self, dates: Mapping[str, str]) -> None:
        """Let GET /v1/models tell these dates, as {"gpt-4o": "2027-01-14"}."""
        self._call("POST", "/_control/models", dict(dates))

    def fail_files(self, *, times: int, status: int = 503) -> None:
        """Let so many of the next uploads and deletions of the Files API fail."""
        self._call("POST", "/_control/files", {"status": status, "times": times})

    def expire_containers(self) -> None:
        """Let every container of the code interpreter so far have expired."""
        self._call("POST", "/_control/expire", {})

    def requests(self, path: str = "") -> list[dict[str, Any]]:
        """The API requests seen, oldest first; with `path`, those of that path alone."""
        seen: list[dict[str, Any]] = self._call("GET", "/_control/requests")
        return [request for request in seen if path in ("", request["path"])]

    def reset(self) -> None:
        """Forget every script, answer and request."""
        self._call("POST", "/_control/reset", {})

    def _call(self, method: str, path: str, value: object = None) -> Any:
        data = None if value is None else encode_json(value)
        request = urllib.request.Request(self._origin + path, data=data, method=method)
        with self._opener.open(request, timeout=10) as answer:
            return decode_json(answer.read())
