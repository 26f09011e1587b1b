"""Everything that can go wrong with a model call, as one error: a code, words for the person, a note for admins."""

import email.utils
import math
import re
import time
from collections.abc import Mapping
from typing import Any

from django.conf import settings

from conversations.llm.decode import storable
from conversations.llm.events import ID_CHARACTERS

# What a person reads: what happened, and the next step. Never a key, never the provider's own words.
MESSAGES = {
    "no_key": "No model is connected yet. Ask an administrator to set the key of the model service, then retry.",
    "wrong_key": "The model service did not accept our key. Ask an administrator to check it, then retry.",
    "forbidden": "The model service does not allow us this request. Tell an administrator, then retry.",
    "model_gone": "This model is not available any more. Choose another model, then retry.",
    "quota": "Our budget with the model service is used up. Tell an administrator; retry when it is renewed.",
    "rate_limited": "The model service gets too many requests from us at the moment. Retry in a minute.",
    "too_long": "This is longer than the model can read. Shorten your message or start a new conversation.",
    "invalid_request": "The model service could not work with this. Change your message or tell an administrator.",
    "content_policy": "The model service declined this message under its usage rules. Rephrase it and send it again.",
    "overloaded": "The model service is overloaded. Retry in a minute.",
    "provider_down": "The model service has a fault. Retry in a few minutes.",
    "connection": "The connection to the model service broke off. What the model had written is kept. Retry.",
    "timeout": "The model stopped answering. What it had written is kept. Retry.",
    "protocol": "The model service sent an answer we could not read. Retry, and tell an administrator if it stays so.",
    "provider_error": "The model service ended this answer with an error. What the model had written is kept. Retry.",
    "file_gone": "The model service no longer has this file. Retry the answer to have it made again.",
    "too_large_file": "The file is larger than we can keep. Ask for a smaller one and retry.",
}
# Faults that pass by themselves, as far as nothing was written yet.
TRANSIENT = frozenset({"rate_limited", "overloaded", "provider_down", "connection"})
DETAIL_CHARACTERS = 1_000
WORDS_CHARACTERS = 10_000  # of the provider's own words are looked at

_QUOTA = re.compile(
    r"insufficient_quota|credit_balance_exhausted|billing_(hard_limit_reached|not_active)"
    r"|\w*_(spend|usage)_limit_exceeded"
)
_OVERLOADED = frozenset(
    {"server_is_overloaded", "slow_down", "engine_overloaded", "overloaded_error", "unavailable_error"}
)
_POLICY = frozenset({"content_filter", "invalid_prompt"})
_TOO_LONG = frozenset({"context_length_exceeded", "exceed_context_size_error", "string_above_max_length"})
# Servers that give no code say so in words; a single request above the per-minute limit will never fit either.
_TOO_LONG_WORDS = re.compile(r"(maximum|exceeds?\b.*) context (length|window|size)|request too large", re.IGNORECASE)
_NO_MODEL_WORDS = re.compile(r"\bmodel\b.* (does not exist|not found)", re.IGNORECASE)
_KEY = re.compile(r"\bsk-[\w*.-]+")
_RETRY_CODES = frozenset({"rate_limit_exceeded", "slow_down"})


class ModelError(Exception):
    """A model call that came to no end of its own.

    `message` is safe to show and names the next step. `detail` is for admins and the log: status, the provider's code
    and words, never a key. `retryable` means the same call may be made again without a person, `retry_after` seconds
    from now where the provider said so; it is never true once text or a file was handed out, since that was paid for.
    """

    def __init__(
        self,
        code: str,
        detail: str = "",
        *,
        message: str = "",
        retryable: bool | None = None,
        retry_after: float | None = None,
        request_id: str = "",
        response_id: str = "",
    ) -> None:
        self.code = code
        self._message = message
        self.detail = _redact(detail)
        self.retryable = code in TRANSIENT if retryable is None else retryable
        self.retry_after = retry_after
        self.request_id = request_id
        self.response_id = response_id
        super().__init__(f"{code}: {self.detail}")

    @property
    def message(self) -> str:
        """What a person reads, with the wait where the provider asks for one."""
        return self._message or _told(self.code, self.retry_after)


def _told(code: str, retry_after: float | None) -> str:
    if retry_after and code in ("rate_limited", "overloaded"):
        wait = f"{math.ceil(retry_after)} seconds" if retry_after < 90 else f"{math.ceil(retry_after / 60)} minutes"
        return MESSAGES[code].replace("Retry in a minute.", f"Retry in {wait}.")
    return MESSAGES[code]


def classify(*, code: str, kind: str, words: str, status: int | None = None) -> str:
    """Return our code for the provider's: of an HTTP error body, an `error` event or a failed response.

    The provider's own code decides before the status ("Error codes" in OpenAI's guides); 429 in particular is two
    things, a limit that passes and a budget that is spent.
    """
    if _QUOTA.fullmatch(code) or _QUOTA.fullmatch(kind) or "exceeded your current quota" in words:
        return "quota"
    if code in _TOO_LONG or kind in _TOO_LONG or _TOO_LONG_WORDS.search(words) or status == 413:
        return "too_long"
    if "policy" in code or code in _POLICY:
        return "content_policy"
    if code == "model_not_found" or _NO_MODEL_WORDS.search(words):
        return "model_gone"
    if status == 401 or code == "invalid_api_key":
        return "wrong_key"
    if status == 403:
        return "forbidden"
    if status == 429 or (status is None and code in _RETRY_CODES):
        return "rate_limited"
    if code in _OVERLOADED or kind in _OVERLOADED:
        return "overloaded"
    if status == 408 or (status or 0) >= 500 or code in ("server_error", "internal_error"):
        return "provider_down"
    if ((status or 0) >= 400 and status != 404) or "image" in code:
        return "invalid_request"
    return "provider_error"


def from_body(error: object, *, status: int | None = None) -> ModelError:
    """Return the error for the provider's error object, whatever it is; without `status` it came in the stream."""
    fields = error if isinstance(error, Mapping) else {}
    code, kind, words = (_text(fields.get(name)) for name in ("code", "type", "message"))
    if status is None and code.isdecimal():
        status = int(code)  # llama.cpp's server writes the HTTP status where OpenAI writes a word
    where = "in the stream" if status is None else f"HTTP {status}"
    return ModelError(
        classify(code=code, kind=kind, words=words, status=status),
        f"{where}, code {code or kind or 'none'}: {words or 'no message'}",
    )


def transport_errors() -> tuple[type[Exception], ...]:
    """Return what the openai package and the transport below it raise; anything else is a mistake of ours."""
    import aiohttp  # not at the top: see `client._make_client`
    import httpx2
    import openai

    return (openai.OpenAIError, httpx2.HTTPError, aiohttp.ClientError, OSError)


def from_exception(exc: Exception) -> ModelError:
    """Return the error for one of the `transport_errors`."""
    import openai

    if not isinstance(exc, openai.APIStatusError):
        # With no read limit of its own, a time-out of the transport is one of connecting: see `client.get_client`.
        return ModelError("connection", f"{type(exc).__name__}: {exc.__cause__ or exc}")
    headers = exc.response.headers
    if isinstance(exc.body, Mapping):
        error = from_body(exc.body, status=exc.status_code)
    else:
        # A proxy's page, not the API's words: it says nothing to anybody and stays out of the record.
        size = len(exc.response.content)
        error = from_body({"message": f"a body of {size:,} bytes that is not JSON"}, status=exc.status_code)
    error.request_id = storable(exc.request_id, ID_CHARACTERS)
    error.retry_after = read_retry_after(headers) if error.retryable else None
    return error


def read_retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds to wait from `retry-after-ms`, or from `Retry-After` in seconds or as a date; else None."""
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            seconds = float(headers[name]) * unit
        except (KeyError, ValueError):
            continue
        return max(seconds, 0.0) if math.isfinite(seconds) else None
    date = email.utils.parsedate_tz(headers.get("retry-after", ""))
    try:
        return None if date is None else max(email.utils.mktime_tz(date) - time.time(), 0.0)
    except (ValueError, OverflowError):
        return None


def _text(value: Any) -> str:
    return "" if value is None else str(value)[:WORDS_CHARACTERS]


def _redact(detail: str) -> str:
    key = settings.OPENAI_API_KEY
    if key:
        detail = detail.replace(key, "[key]")
    return _KEY.sub("[key]", detail)[:DETAIL_CHARACTERS]
