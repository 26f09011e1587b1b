"""Examples of what the resources take and answer, for the contract."""

from __future__ import annotations

from typing import Any

from rest.schema import example

_ID = "0199f6a2-5b1c-7c3e-9d44-0f3c9a1b7e0{}"
_CONVERSATION: dict[str, Any] = {
    "id": _ID.format(0),
    "owner": "someone",
    "title": "Letters without a straight line",
    "assistant": "general",
    "model": None,
    "state": "open",
    "pinned": False,
    "created_at": "2026-11-22T17:43:22.104511Z",
    "updated_at": "2026-11-22T17:43:22.104511Z",
    "concluded_at": None,
    "deleted_at": None,
    "last_message": _ID.format(2),
    "continued_from": None,
    "document": None,
}
_USAGE = {
    "input_tokens": 112,
    "output_tokens": 14,
    "total_tokens": 126,
    "cost": "0.00042000",
    "is_estimated": False,
}
_MESSAGE: dict[str, Any] = {
    "id": _ID.format(2),
    "conversation": _ID.format(0),
    "parent": _ID.format(1),
    "role": "assistant",
    "status": "completed",
    "text": "Four: **C**, **O**, **S** and **U**.",
    "created_at": "2026-11-22T17:43:22.104511Z",
    "finished_at": "2026-11-22T17:43:24.871030Z",
    "error": None,
    "files": [],
    "usage": _USAGE,
    "model": "gpt-4o",
    "assistant": "general",
}
_ATTACHMENT: dict[str, Any] = {
    "id": _ID.format(4),
    "name": "report.pdf",
    "content_type": "application/pdf",
    "size": 48213,
    "origin": "user",
    "state": "ready",
    "owner": "someone",
    "message": None,
    "conversation": None,
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "width": None,
    "height": None,
    "failure": None,
    "can_retry": False,
    "address": "s3://records/files/7d/1f0c2a",
    "created_at": "2026-11-22T17:43:22.104511Z",
}
_FEEDBACK = {
    "message": _ID.format(2),
    "conversation": _ID.format(0),
    "user": "someone",
    "rating": "up",
    "reason": "Short and right.",
    "created_at": "2026-11-22T17:44:01.000000Z",
    "updated_at": "2026-11-22T17:44:01.000000Z",
}
_ASSISTANT = {
    "slug": "general",
    "name": "General assistant",
    "description": "Answers questions of all kinds.",
    "model": "gpt-4o",
    "tools": ["code_interpreter"],
    "suggested_prompts": ["Summarise this text in five points."],
}
_MODEL = {
    "name": "gpt-4o",
    "label": "GPT-4o",
    "is_default": True,
    "is_offered": True,
    "is_local": False,
    "context_window": 128000,
    "max_output_tokens": 16384,
    "accepts_images": True,
    "accepts_files": True,
    "tools": ["code_interpreter", "image_generation", "create_file"],
    "shutdown_date": None,
    "price": {"input": "2.500000", "cached_input": "1.250000", "output": "10.000000", "valid_from": "2024-10-01"},
}
_SUM = {
    "calls": 3,
    "estimated_calls": 0,
    "unpriced_calls": 0,
    "input_tokens": 812,
    "cached_tokens": 0,
    "output_tokens": 240,
    "reasoning_tokens": 0,
    "total_tokens": 1052,
    "cost": "0.00443000",
}


def _page(*results: dict[str, Any]) -> dict[str, Any]:
    return {"results": list(results), "next": None, "previous": None}


CONVERSATIONS = example("A page of conversations", _page(_CONVERSATION))
CONVERSATION = example("A conversation", _CONVERSATION | {"usage": _USAGE})
CONVERSATION_CHANGE = example("Another title", {"title": "Letters", "pinned": True}, request=True)
MESSAGES = example("A page of messages", _page(_MESSAGE))
MESSAGE = example("An answer", _MESSAGE)
ATTACHMENTS = example("A page of files", _page(_ATTACHMENT))
ATTACHMENT = example("A file", _ATTACHMENT)
FEEDBACK_LIST = example("A page of ratings", _page(_FEEDBACK))
FEEDBACK = example("A rating", _FEEDBACK)
FEEDBACK_CHANGE = example("Good", {"rating": "up", "reason": "Short and right."}, request=True)
ASSISTANTS = example("All assistants", _page(_ASSISTANT))
ASSISTANT = example("An assistant", _ASSISTANT)
MODELS = example("All models", _page(_MODEL))
MODEL = example("A model", _MODEL)
NOTHING = example("Nothing", {}, request=True)
UPLOAD = example("A file", {"file": "report.pdf"}, request=True)
USAGE = example(
    "A day",
    {
        "from": "2026-11-22",
        "to": "2026-11-22",
        "time_zone": "UTC",
        "by": ["day", "model"],
        "total": _SUM,
        "results": [{"day": "2026-11-22", "month": None, "model": "gpt-4o"} | _SUM],
    },
)
INDEX = example(
    "The resources", {"version": "1", "links": {"conversations": "https://chat.example.org/api/v1/conversations/"}}
)
ME = example(
    "Somebody with a token",
    {
        "username": "someone",
        "name": "",
        "email": "someone@example.org",
        "access": "token",
        "token": _ID.format(9),
        "scopes": ["read", "write"],
        "may_read_all": False,
        "limits": [
            {
                "measure": "money",
                "period": "month",
                "limit": "20.0000",
                "used": "3.10420000",
                "held": "0",
                "resets_at": "2026-12-01T00:00:00Z",
            }
        ],
    },
)
