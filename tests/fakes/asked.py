"""What a request asks: the text of its last message, and how much there is to read."""

from collections.abc import Mapping
from typing import Any

from tests.fakes.scenario import encode_json

TOKENS_PER_FILE = 1_000


def last_user_text(body: Mapping[str, Any]) -> str:
    """The text of the last user message of a request body; "" where there is none."""
    sent = body.get("input")
    if isinstance(sent, str):
        return sent
    for item in reversed(sent or []):
        if item.get("role") == "user":
            content = item.get("content")
            return content if isinstance(content, str) else "".join(part.get("text", "") for part in content or [])
    return ""


def count_input_tokens(body: Mapping[str, Any]) -> int:
    """Some number of input tokens that grows with the request: a quarter of its characters, 1,000 for each file."""
    sent = body.get("input")
    parts = [
        part
        for item in (sent if isinstance(sent, list) else [])
        if isinstance(item.get("content"), list)
        for part in item["content"]
        if part.get("type") in ("input_file", "input_image")
    ]
    characters = len(encode_json([sent, body.get("instructions")])) - sum(len(encode_json(part)) for part in parts)
    return max(1, characters // 4) + TOKENS_PER_FILE * len(parts)
