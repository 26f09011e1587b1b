"""Values of a request of the door: each of the type that it must have, or refused with its name."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from conversations.api.openai.errors import wrong
from conversations.text import clean_text

type Fields = Mapping[str, Any]

_MOST = 2**31 - 1
# What changes nothing of what is said, whatever its value: for the provider's caches, statistics and storage.
PASSED_OVER = frozenset(
    {
        "include", "max_tool_calls", "parallel_tool_calls", "prompt_cache_key", "prompt_cache_options",
        "prompt_cache_retention", "safety_identifier", "seed", "service_tier", "store", "truncation", "user",
    }
)  # fmt: skip
# What is not offered: it may be there with a value that asks for nothing.
NEUTRAL: dict[str, tuple[Any, ...]] = {
    "audio": (),
    "context_management": ([],),
    "frequency_penalty": (0, 0.0),
    "function_call": ("none", "auto"),
    "functions": ([],),
    "logit_bias": ({},),
    "logprobs": (False,),
    "modalities": (["text"],),
    "moderation": (),
    "n": (1,),
    "prediction": (),
    "presence_penalty": (0, 0.0),
    "prompt": (),
    "reasoning": ({}, {"effort": None}, {"effort": None, "summary": None}),
    "reasoning_effort": (),
    "response_format": ({"type": "text"},),
    "stop": ([],),
    "text": ({}, {"format": {"type": "text"}}),
    "tool_choice": ("none", "auto"),
    "tools": ([],),
    "top_logprobs": (0,),
    "verbosity": (),
    "web_search_options": (),
}


def check_names(fields: Fields, known: Collection[str]) -> None:
    """Raise Problem (400) for a parameter that nobody knows, or that asks for something that is not offered."""
    for name, value in fields.items():
        if name in known or name in PASSED_OVER:
            continue
        if name not in NEUTRAL:
            raise wrong(name, f"Unknown parameter: “{name[:60]}”.", "unknown_parameter")
        if value is not None and json.dumps(value) not in {json.dumps(neutral) for neutral in NEUTRAL[name]}:
            raise wrong(name, f"“{name}” is not offered here; leave it out.", "unsupported_parameter")


def text_of(fields: Fields, name: str, path: str = "") -> str | None:
    """Return a text, cleaned; None where there is none."""
    value = fields.get(name)
    if value is not None and not isinstance(value, str):
        raise wrong(path or name, f"“{name}” must be a text.", "invalid_type")
    return None if value is None else clean_text(value)


def flag_of(fields: Fields, name: str) -> bool:
    """Return true or false; false where nothing is said."""
    value = fields.get(name)
    if value is not None and not isinstance(value, bool):
        raise wrong(name, f"“{name}” must be true or false.", "invalid_type")
    return bool(value)


def number_of(fields: Fields, name: str, *, most: int) -> float | None:
    """Return a number between 0 and `most`; None where there is none."""
    value = fields.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise wrong(name, f"“{name}” must be a number.", "invalid_type")
    if not 0 <= value <= most:
        raise wrong(name, f"“{name}” must lie between 0 and {most}.")
    return value


def count_of(fields: Fields, name: str) -> int | None:
    """Return a whole number from 1 on; None where there is none."""
    value = fields.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise wrong(name, f"“{name}” must be a whole number.", "invalid_type")
    if not 1 <= value <= _MOST:
        raise wrong(name, f"“{name}” must lie between 1 and {_MOST:,}.")
    return value


def object_of(fields: Fields, name: str) -> Fields:
    """Return an object; an empty one where there is none."""
    value = fields.get(name)
    if value is not None and not isinstance(value, dict):
        raise wrong(name, f"“{name}” must be an object.", "invalid_type")
    return value or {}


def conversation_of(fields: Fields) -> UUID | None:
    """Return the conversation that is named: as `conversation`, a text or an object with an `id`, or in `metadata`."""
    for name, value in (
        ("conversation", fields.get("conversation")),
        ("metadata.conversation", object_of(fields, "metadata").get("conversation")),
    ):
        if isinstance(value, dict) and set(value) == {"id"}:
            value = value["id"]
        if value is not None:
            return id_of(value, name)
    return None


def id_of(value: object, name: str, prefix: str = "") -> UUID:
    """Return an id of ours, without the prefix that the door gave it. Raises Problem (400)."""
    try:
        if isinstance(value, str) and value.startswith(prefix):
            return UUID(value.removeprefix(prefix))
    except ValueError:
        pass
    raise wrong(name, f"“{name}” must be an id that an earlier answer named.")
