"""The document itself, and what is said in its head."""

from __future__ import annotations

import functools
from typing import Any

from drf_spectacular.generators import SchemaGenerator

from rest.schema.problems import components

VERSION = "1.0.0"
"""Of the contract; docs/api-changelog.md says what came with each."""
DESCRIPTION = """\
Conversations with a language model, kept on record: everything that the page does, for programs.

**Signing in.** `Authorization: Bearer …` with a token of the page *Your account*, or with a bearer token of the
company's sign-in. Browsers that are signed in may use their session, with `X-CSRFToken`.

**Errors** are problem details (RFC 9457) with a `code` that never changes. Nothing was done where one is answered.

**Idempotency.** Every POST takes an `Idempotency-Key`: the same request with the same key is carried out once.

**Lists** come in pages: `limit`, and `next` as the address of the following page.

**Times** are UTC, **money** is US dollars as text, **ids** are UUIDs. Addresses work with and without a slash at their
end. New fields may come at any time; what is there stays.
"""

TAGS = {
    "conversations": "What somebody says to an assistant, from its first message until it is sealed.",
    "messages": "Prompts and answers: sent, streamed, stopped, tried again.",
    "attachments": "Files: uploaded before they are sent, and handed out.",
    "feedback": "What people think of answers.",
    "chat": "The whole history in, the next answer out.",
    "openai": "A door that speaks OpenAI's language: any tool with a setting for its address talks through it.",
    "batches": "Files of prompts, answered one after the other.",
    "events": "What happened, in order, without a gap.",
    "assistants": "Who can be asked.",
    "models": "What they think with, and what that costs.",
    "usage": "What was used, by day and model.",
    "me": "Who asks.",
    "index": "Where everything is.",
}


@functools.cache
def document() -> dict[str, Any]:
    """Return the OpenAPI document of this process; it is the same for everybody."""
    found: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return found


def complete(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """Fill in the head of the document, and the problems that all operations refer to (a hook of drf-spectacular)."""
    result["tags"] = [{"name": name, "description": words} for name, words in TAGS.items()]
    result["info"] |= {"version": VERSION, "description": DESCRIPTION}
    result["components"].setdefault("schemas", {})
    for kind, parts in components().items():
        result["components"][kind] = result["components"].get(kind, {}) | parts
    return result
