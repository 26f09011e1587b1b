"""Examples of requests that bring an answer, for the contract."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample

from conversations.api.live.sse import MEDIA_TYPE

_ANSWER: dict[str, Any] = {
    "id": "0199f6a2-5b1c-7c3e-9d44-0f3c9a1b7e02",
    "conversation": "0199f6a2-5b1c-7c3e-9d44-0f3c9a1b7e00",
    "parent": "0199f6a2-5b1c-7c3e-9d44-0f3c9a1b7e01",
    "role": "assistant",
    "status": "completed",
    "text": "Four: **F**, **A**, **O** and **T**.",
    "created_at": "2026-11-22T17:43:22.104511Z",
    "finished_at": "2026-11-22T17:43:24.871030Z",
    "error": None,
    "files": [],
    "usage": {
        "input_tokens": 112,
        "output_tokens": 14,
        "total_tokens": 126,
        "cost": "0.00042000",
        "is_estimated": False,
    },
    "model": "gpt-4o",
    "assistant": "general",
}
_WAITED_FOR = _ANSWER | {"status": "queued", "text": "", "finished_at": None, "usage": None}
_STREAM = """retry: 1000

event: activity
data: {"text":"Searching…"}

event: text
id: 18
data: {"start":0,"text":"Four: **F**, **A**"}

event: text
id: 36
data: {"start":18,"text":", **O** and **T**."}

event: activity
data: {"text":""}

event: completed
data: {"id":"0199f6a2-5b1c-7c3e-9d44-0f3c9a1b7e02","status":"completed","text":"Four: **F** …", …}
"""

START = OpenApiExample(
    "A first prompt",
    {"text": "How many letters has the word “FAOT”, and which?", "assistant": "general"},
    request_only=True,
)
SEND = OpenApiExample("A prompt", {"text": "And in small letters?"}, request_only=True)
EDIT = OpenApiExample("Another wording", {"text": "Name the letters of “FAOT”.", "model": "gpt-4o"}, request_only=True)
RETRY = OpenApiExample("By another model", {"model": "gpt-4o"}, request_only=True)
NOTHING = OpenApiExample("Nothing", {}, request_only=True)
ANSWER = OpenApiExample("Ended", _ANSWER, response_only=True, status_codes=["201"])
WAITED_FOR = OpenApiExample("Still waited for", _WAITED_FOR, response_only=True, status_codes=["202"])
STREAM = OpenApiExample("Events", _STREAM, response_only=True, status_codes=["200"], media_type=MEDIA_TYPE)
STOPPED = OpenApiExample(
    "Stopped",
    _ANSWER | {"status": "stopped", "text": "Four: **F**,"},
    response_only=True,
    status_codes=["200"],
)
ANSWERS = [ANSWER, WAITED_FOR, STREAM]
CHAT = OpenApiExample(
    "A history",
    {
        "history": [
            {"role": "user", "content": "Which letters of “FAOT” are vowels?"},
            {"role": "assistant", "content": "**A** and **O**."},
            {"role": "user", "content": "And consonants?"},
        ],
        "assistant": "general",
    },
    request_only=True,
)
CHAT_ANSWER = OpenApiExample(
    "The next answer",
    {
        "message": {
            "role": "assistant",
            "content": "**F** and **T**.",
            "id": _ANSWER["id"],
            "status": "completed",
        },
        "token_usage": {
            "input_tokens": 112,
            "output_tokens": 14,
            "prompt_tokens": 112,
            "completion_tokens": 14,
            "total_tokens": 126,
        },
        "cost": 0.00042,
        "conversation": _ANSWER["conversation"],
    },
    response_only=True,
    status_codes=["200", "202"],
)
