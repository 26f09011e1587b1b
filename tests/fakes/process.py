"""The fake OpenAI server as a process of its own, for tests and benchmarks."""

import urllib.request
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from tests.fakes.child import FakeServer
from tests.fakes.scenario import decode_json, encode_json


class FakeOpenAI(FakeServer):
    """The fake server on a free port. `tokens` and `delay_ms` say what an answer is that nobody scripted."""

    name = "fake OpenAI server"

    def __init__(self, *, tokens: int = 30, delay_ms: float = 2.0) -> None:
        options = ["--port", "0", "--tokens", str(tokens), "--delay-ms", str(delay_ms), "--while-stdin-open"]
        super().__init__("tests.fakes.openai_server", options)
        self._origin = ""
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def note(self, first_line: bytes) -> None:
        """Keep its address."""
        self._origin = f"http://127.0.0.1:{decode_json(first_line)['port']}"

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

    def answer_models(self, answer: Mapping[str, Any]) -> None:
        """Let GET /v1/models answer with this "status", "body" and "content_type" in place of the list."""
        self._call("POST", "/_control/models", {"answer": dict(answer)})

    def fail_files(self, *, times: int, status: int = 503) -> None:
        """Let so many of the next uploads and deletions of the Files API fail."""
        self._call("POST", "/_control/files", {"status": status, "times": times})

    def expire_containers(self) -> None:
        """Let every container of the code interpreter so far have expired."""
        self._call("POST", "/_control/expire", {})

    def requests(self, path: str = "", *, holding: str = "") -> list[dict[str, Any]]:
        """The API requests seen, oldest first; with `path`, those of that path; with `holding`, those that ask that."""
        query = urlencode({"path": path, "holding": holding})
        seen: list[dict[str, Any]] = self._call("GET", f"/_control/requests?{query}")
        return seen

    def first_texts(self) -> list[float]:
        """Seconds from the arrival of each request to the first text of its answer, oldest first, none without text."""
        seen: list[float] = self._call("GET", "/_control/first_texts")
        return seen

    def reset(self) -> None:
        """Forget every script, answer and request."""
        self._call("POST", "/_control/reset", {})

    def _call(self, method: str, path: str, value: object = None) -> Any:
        data = None if value is None else encode_json(value)
        request = urllib.request.Request(self._origin + path, data=data, method=method)
        with self._opener.open(request, timeout=10) as answer:
            return decode_json(answer.read())
