"""What the fake OpenAI server is told to do with a request: keys of a `[[fake: {...}]]` marker or a queued script."""

import json
from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, Self

import orjson

MARKER = "[[fake:"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileScript:
    """A file that the code interpreter writes, and how its download goes."""

    name: str = "result.csv"
    text: str = "number,square\n1,1\n2,4\n"
    base64: str = ""  # the bytes, in place of the text
    size: int = 0  # so many bytes of "x", in place of both
    cited: bool = True  # the text cites it
    listed: bool = True  # the container's list has it
    source: str = "assistant"
    # What goes wrong with its download.
    status: int = 200
    times: int = 0  # fail with `status` this many times, then send it; 0 is always
    slow_ms: float = 0  # before each tenth of the body
    length: int | None = None  # the Content-Length, where it is not the true one
    chunked: bool = False  # no Content-Length
    reset: bool = False  # TCP RST after half of the body

    @property
    def data(self) -> bytes:
        """The bytes."""
        if self.size:
            return b"x" * self.size
        return b64decode(self.base64) if self.base64 else self.text.encode()


FILE_KEYS = frozenset(f.name for f in fields(FileScript))
CODE_KEYS = frozenset({"gap_ms", "files", "expired", "list_status", "list_times"})
IMAGE_KEYS = frozenset({"gap_ms", "size", "format", "base64"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One scripted answer. Every key is optional; times are milliseconds, counts are deltas unless said otherwise."""

    # What is answered.
    tokens: int | None = None  # how many deltas (default: the server's --tokens)
    text: str | None = None  # the answer, cut into deltas word by word
    texts: Sequence[str] | None = None  # the deltas themselves
    final: str | None = None  # the final text, where it shall differ from the deltas
    model: str | None = None  # the model that answered
    usage: Mapping[str, Any] | None = None  # replaces the counted usage; {} leaves usage out (null)
    refusal: str | None = None  # refusal deltas in place of text
    incomplete: str | None = None  # end as response.incomplete with this reason
    big_delta: int = 0  # one more delta of this many characters
    unknown: bool = False  # unknown events, items, annotations and extra fields in between
    # What tools make, before the text. A function call ends the answer; `text` and the rest then answer its output.
    code_interpreter: Mapping[str, Any] | None = None  # {"gap_ms": how long it runs, "files": [FileScript, …], and
    # "expired": whether its container is gone, "list_status": of the list of its files, "list_times": as `times`}
    image: Mapping[str, Any] | None = None  # a picture: {} or {"size": [w, h], "format": "png", "base64": …, "gap_ms"}
    reasoning: Mapping[str, Any] | None = None  # {"gap_ms": how long, "encrypted": "…"}
    create_file: Mapping[str, str] | Sequence[Mapping[str, str]] | None = None  # {"name": …, "content": …}, or several
    function_calls: Sequence[Mapping[str, Any]] = ()  # {"name": …, "arguments": an object, or the text itself}
    before: str = ""  # text before the function calls
    then: Mapping[str, Any] | None = None  # the scenario of the next step, in place of this one without its tools
    # When.
    headers_ms: float = 0  # before the response's headers
    first_event_ms: float = 0  # between the headers and the first event
    heartbeat_ms: float = 0  # a comment this often while nothing else is sent
    queued_ms: float = 0  # how long a background answer is queued
    delay_ms: float | None = None  # between deltas (default: the server's --delay-ms)
    gap: Mapping[str, float] | None = None  # {"after": deltas, "ms": silence}
    # What goes wrong before the stream.
    status: int = 200
    times: int = 0  # fail with `status` this many times, then answer; 0 is always
    error: Mapping[str, Any] | None = None  # the error object of a JSON error body
    body: str | None = None  # the whole body, as it is, in place of any other
    content_type: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    # What goes wrong in the stream, after `after` deltas (None: after all of them, without the closing events).
    cut: str | None = None  # the first connection ends: "reset" (TCP RST) or "eof" (clean, but no terminal event)
    fail: Mapping[str, Any] | None = None  # response.failed with this error
    flat_error: Mapping[str, Any] | None = None  # an `error` event as the specification has it
    nested_error: Mapping[str, Any] | None = None  # an `error` event as servers have sent it
    after: int | None = None
    # How the bytes travel.
    packet_bytes: int = 0  # so many bytes per packet
    split_utf8: bool = False  # cut every event inside its first character of more than one byte
    newline: str = "\n"
    comments: bool = False
    # Which request a queued scenario is for: the first whose last user message contains this.
    match: str = ""

    @classmethod
    def parse(cls, value: Mapping[str, Any]) -> Self:
        """The scenario of a JSON object; `{"fault": name}` starts from a preset. Unknown keys raise ValueError."""
        keys = dict(value)
        name = keys.pop("fault", None)
        if name is not None and name not in PRESETS:
            raise ValueError(f"No fault is called {name!r}; there are {', '.join(PRESETS)}")
        unknown = keys.keys() - {f.name for f in fields(cls)}
        if unknown:
            raise ValueError(f"Unknown keys in a fake scenario: {', '.join(sorted(unknown))}")
        scenario = cls(**{**PRESETS.get(name, {}), **keys})
        scenario.check()
        return scenario

    def check(self) -> None:
        """Raise ValueError for keys inside of keys that make no sense."""
        unknown = (self.code_interpreter or {}).keys() - CODE_KEYS
        unknown |= {key for file in (self.code_interpreter or {}).get("files", []) for key in file} - FILE_KEYS
        unknown |= (self.image or {}).keys() - IMAGE_KEYS
        if unknown:
            raise ValueError(f"Unknown keys in a fake scenario: {', '.join(sorted(unknown))}")
        if self.then is not None:
            self.parse(self.then)

    @property
    def files(self) -> list[FileScript]:
        """The files that the code interpreter writes."""
        return [FileScript(**file) for file in (self.code_interpreter or {}).get("files", [])]

    @property
    def calls(self) -> list[tuple[str, str]]:
        """The function calls: name and arguments of each."""
        wanted = [self.create_file] if isinstance(self.create_file, Mapping) else self.create_file or []
        calls = [("create_file", json.dumps(arguments)) for arguments in wanted]
        for call in self.function_calls:
            arguments = call.get("arguments", {})
            calls.append((call["name"], arguments if isinstance(arguments, str) else json.dumps(arguments)))
        return calls

    def next_step(self) -> Self:
        """What answers the outputs of the function calls."""
        if self.then is not None:
            return self.parse(self.then)
        tools: dict[str, Any] = {"code_interpreter": None, "image": None, "reasoning": None, "create_file": None}
        return replace(self.without_failure(), **tools, function_calls=(), before="")

    def without_failure(self) -> Self:
        """The same answer once the scripted HTTP failures are used up."""
        return replace(self, status=200, error=None, body=None, content_type=None, headers={})


def _error(status: int, kind: str | None, code: str | None, message: str, **headers: str) -> dict[str, Any]:
    error = {"message": message, "type": kind, "param": None, "code": code}
    return {"status": status, "error": error, "headers": headers}


# Bodies as the API sends them ("Error codes" in OpenAI's guides), each under a short name.
PRESETS: dict[Any, dict[str, Any]] = {
    "rate_limit": _error(
        429,
        "requests",
        "rate_limit_exceeded",
        "Rate limit reached for gpt-4o on requests per min.",
        **{"Retry-After": "2"},
    ),
    "quota": _error(429, "insufficient_quota", "insufficient_quota", "You exceeded your current quota."),
    "wrong_key": _error(
        401, "invalid_request_error", "invalid_api_key", "Incorrect API key provided: sk-proj-********************wxyz."
    ),
    "forbidden": _error(403, "request_forbidden", "unsupported_country_region_territory", "Country not supported"),
    "model_gone": _error(
        404,
        "invalid_request_error",
        "model_not_found",
        "The model `gpt-4o` does not exist or you do not have access to it.",
    ),
    "too_long": _error(
        400,
        "invalid_request_error",
        "context_length_exceeded",
        "Your input exceeds the context window of this model. Please adjust your input and try again.",
    ),
    "500": _error(500, "server_error", None, "The server had an error while processing your request."),
    "502": {"status": 502, "body": "<html><h1>502 Bad Gateway</h1></html>", "content_type": "text/html"},
    "503": _error(503, "service_unavailable_error", "server_is_overloaded", "Our servers are currently overloaded."),
    "html": {"status": 503, "body": "<html><body>cf-ray secret-page</body></html>", "content_type": "text/html"},
    "empty": {"status": 503, "body": "", "content_type": "text/plain"},
    "html_200": {"body": "<html><body>Please sign in to the proxy</body></html>", "content_type": "text/html"},
    "reset": {"cut": "reset", "tokens": 80, "after": 40},
    "eof": {"cut": "eof", "tokens": 80, "after": 40},
    "silence": {"first_event_ms": 3_600_000},
    "gap": {"gap": {"after": 5, "ms": 3_600_000}},
}


def find_marker(text: str) -> str | None:
    """The JSON of the first `[[fake: {...}]]` in a text, or None."""
    start = text.find(MARKER)
    if start < 0:
        return None
    rest = text[start + len(MARKER) :].lstrip()
    _, end = json.JSONDecoder().raw_decode(rest)
    return rest[:end]


def encode_json(value: object) -> bytes:
    r"""JSON with characters as UTF-8, but a lone surrogate (which UTF-8 cannot hold) makes it all \u escapes."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return json.dumps(value).encode()


def decode_json(value: bytes | str) -> Any:
    """The value of a JSON text; lone surrogates, which orjson refuses, are kept."""
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:
        return json.loads(value)
