"""The same for the API, asked with the cookie of a browser. Tokens have tests of their own.

Each verb is sent the body that does something wherever it is accepted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tests.access.outcomes import NOT_FOUND, SHOWN, Outcome, Outcomes, Row, members

if TYPE_CHECKING:
    from tests.access.world import Belongings

NO_ONE = Outcome(401)
DONE = Outcome(200, writes=True)
MADE = Outcome(201, "http://testserver/api/v1/", writes=True)
GONE = Outcome(204, writes=True)
UNSUITED = Outcome(415)  # no form with a file
LATER = Outcome(202, writes=True)
SAID = Outcome(202, "http://testserver/api/v1/messages/", writes=True)
"""Something is said, whose answer these tests do not wait for."""


def anybody(outcome: Outcome) -> Outcomes:
    """Everybody who is signed in."""
    return members(outcome, NO_ONE)


def mine(outcome: Outcome) -> Outcomes:
    """The owner alone."""
    return members(NOT_FOUND, NO_ONE) | {"owner": outcome}


def seen(outcomes: Outcomes) -> Row:
    """A resource that is read."""
    return {"GET": outcomes, "HEAD": outcomes}


LIST, ONE = seen(anybody(SHOWN)), seen(mine(SHOWN))
_CATALOGUE: dict[str, Row] = {
    "api:index": LIST,
    "api:me": LIST,
    "api:assistants": LIST,
    "api:assistant": LIST,
    "api:models": LIST,
    "api:model": LIST,
    "api:usage": LIST,
}
_CONVERSATIONS: dict[str, Row] = {
    "api:conversations": LIST | {"POST": anybody(SAID)},
    "api:conversation": ONE | {"PATCH": mine(DONE), "DELETE": mine(GONE)},
    "api:restore": {"POST": mine(DONE)},
    "api:conclude": {"POST": mine(DONE)},
    "api:continue": {"POST": mine(MADE)},
    "api:thread": ONE | {"POST": mine(SAID)},
    "api:chat": {"POST": anybody(SAID)},
    "api:messages": LIST,
    "api:message": ONE,
    "api:stop": {"POST": mine(DONE)},
    "api:retry": {"POST": mine(SAID)},
    "api:edit": {"POST": mine(SAID)},
    "api:continue_answer": {"POST": mine(SAID)},
}
_FILES: dict[str, Row] = {
    "api:attachments": LIST | {"POST": anybody(UNSUITED)},
    "api:attachment": ONE | {"DELETE": mine(GONE)},
    "api:attachment_retry": {"POST": mine(LATER)},
    "api:feedback": LIST,
    "api:rating": ONE | {"PUT": mine(DONE), "DELETE": mine(GONE)},
}
_CONFLICT = Outcome(409)
_BATCHES: dict[str, Row] = {
    "batches:list": LIST | {"POST": anybody(UNSUITED)},
    "batches:one": ONE | {"DELETE": mine(GONE)},
    "batches:cancel": {"POST": mine(DONE)},
    "batches:resume": {"POST": mine(_CONFLICT)},  # the batch of these tests is under way
}
_DOOR: dict[str, Row] = {
    "openai:models": LIST,
    "openai:model": LIST,
    "openai:chat_completions": {"POST": anybody(Outcome(504, writes=True))},  # its answer is not waited for
    "openai:responses": {"POST": anybody(DONE)},
    "openai:response": ONE,
    "openai:cancel": {"POST": mine(DONE)},
}
_CONTRACT: dict[str, Row] = {"rest:schema": LIST, "rest:docs": seen(members(SHOWN)), "rest:redoc": seen(members(SHOWN))}
API: dict[str, dict[str, Row]] = {
    "contract": _CONTRACT,
    "catalogue": _CATALOGUE,
    "conversations": _CONVERSATIONS,
    "files": _FILES,
    "batches": _BATCHES,
    "events": {"webhooks:events": LIST},
    "OpenAI's": _DOOR,
}
"""By area."""
API_STREAMS: dict[str, Row] = {"api:content": ONE, "api:document": ONE, "api:stream": ONE, "batches:result": ONE}
"""What gives its database connection back, and writes nothing."""

BODIES: dict[str, dict[str, Any]] = {
    "api:conversations": {"text": "A word of mine"},
    "api:thread": {"text": "A word of mine"},
    "api:edit": {"text": "A word of mine"},
    "api:chat": {"history": [{"role": "user", "content": "A word of mine"}]},
    "openai:chat_completions": {"model": "gpt-4o", "messages": [{"role": "user", "content": "A word of mine"}]},
    "openai:responses": {"model": "gpt-4o", "input": "A word of mine"},
    "api:conversation": {"title": "Taken", "pinned": True},
    "api:rating": {"rating": "down", "reason": "Taken"},
}
"""What is sent with the verbs that write, by route; nothing where it has no line here."""


def values(belongings: Belongings) -> dict[str, Mapping[str, object]]:
    """Return what to put into the patterns of the API, by the name of the route."""
    of_conversation, of_message = {"pk": belongings.conversation.pk}, {"pk": belongings.ended.pk}
    return {
        "conversation": of_conversation,
        "restore": {"pk": belongings.deleted.pk},
        "conclude": of_conversation,
        "continue": {"pk": belongings.sealed.pk},
        "document": {"pk": belongings.sealed.pk},
        "thread": of_conversation,
        "message": of_message,
        "stream": {"pk": belongings.running.pk},
        "stop": {"pk": belongings.running.pk},
        "retry": of_message,
        "edit": {"pk": belongings.ended.parent_id},
        "continue_answer": of_message,
        "rating": of_message,
        "attachment": {"pk": belongings.unsent.pk},
        "content": {"pk": belongings.picture.pk},
        "attachment_retry": {"pk": belongings.lost.pk},
        "assistant": {"slug": belongings.conversation.assistant.slug},
        "model": {"name": "gpt-4o"},
    }


def values_of_door(belongings: Belongings) -> dict[str, Mapping[str, object]]:
    """Return the same for the door that speaks as OpenAI does."""
    return {
        "model": {"name": "gpt-4o"},
        "response": {"pk": f"resp_{belongings.ended.pk.hex}"},
        "cancel": {"pk": f"resp_{belongings.running.pk.hex}"},
    }
