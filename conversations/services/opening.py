"""Opening a call for an answer: what is sent is made from the record, and written to it before the request leaves."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.utils import timezone

from conversations.llm import ModelRequest, Turn, choose_window, estimate_tokens
from conversations.models import Attachment, Generation, Message
from conversations.services.client_options import ClientOptions
from conversations.services.privacy import safety_identifier


@dataclass(frozen=True, slots=True)
class PlannedFile:
    """A file that goes to the model with a turn: where it is, and its copy at the provider where there is one."""

    id: UUID
    key: str
    name: str
    content_type: str
    size: int
    sha256: str
    provider_file_id: str
    provider_file_expires_at: datetime.datetime | None
    is_accepted: bool  # the model that is asked now may be another one than it was attached for

    @property
    def is_image(self) -> bool:
        return self.content_type.startswith("image/")


@dataclass(frozen=True, slots=True)
class OpenedCall:
    """What is asked of the model. `files` has a tuple for each turn of the request."""

    request: ModelRequest
    files: tuple[tuple[PlannedFile, ...], ...] = ()


class Said(NamedTuple):
    """A message of the conversation, as far as the model is shown it."""

    id: UUID
    parent_id: UUID | None
    role: str
    text: str
    has_files: bool


class PlannedCall(NamedTuple):
    """What the record says of a call that is to be made: columns, not objects of five rows."""

    id: UUID
    response_id: str
    model_asked: str
    parameters: Any
    context_window: int
    max_output_tokens: int
    attempt: int
    owner_id: int
    parent_id: UUID
    conversation_id: UUID
    instructions: str
    accepts_images: bool
    accepts_files: bool
    assistant_parameters: Any
    model_tools: Any
    assistant_tools: Any
    options: Any
    """What a client gave with the prompt, or None."""
    said: Mapping[UUID, Said]
    """All that was said in the conversation, by id."""


# By hand, each in one statement: they stand between a person and the first word of every answer.
_CALL = """
SELECT call.id, call.response_id, call.model_asked, call.parameters, model.context_window, model.max_output_tokens,
    message.attempt, message.owner_id, message.parent_id, message.conversation_id,
    assistant.instructions, model.accepts_images, model.accepts_files,
    assistant.parameters, model.tools, assistant.tools, prompt.options
FROM message
JOIN conversations_message AS prompt ON prompt.id = message.parent_id
JOIN conversations_generation AS call ON call.message_id = message.id
JOIN conversations_languagemodel AS model ON model.id = call.model_id
JOIN conversations_conversation AS conversation ON conversation.id = message.conversation_id
JOIN conversations_assistant AS assistant ON assistant.id = COALESCE(message.assistant_id, conversation.assistant_id)
ORDER BY call.id DESC LIMIT 1
"""
_CLAIMED = """
WITH message AS (
    UPDATE conversations_message SET status = 'streaming', attempt = attempt + 1, activity = ''
    WHERE id = %(message)s AND status = 'queued' RETURNING *
)
"""
_FOUND = """
WITH message AS (SELECT * FROM conversations_message WHERE id = %(message)s)
"""
# All branches of the conversation: to follow one in the database takes a look-up for each of its messages.
_SAID = """;
SELECT id, parent_id, role, text, EXISTS (SELECT FROM conversations_attachment WHERE message_id = said.id)
FROM conversations_message AS said
WHERE conversation_id = (SELECT conversation_id FROM conversations_message WHERE id = %(message)s)
"""
# The row is locked by a statement of its own, in the same round trip: the next one then sees what was committed while
# it was waited for. The call that was newest before may have been settled by then.
_LOCK = "SELECT FROM conversations_message WHERE id = %(message)s FOR NO KEY UPDATE;"
_CLAIM = _LOCK + _CLAIMED + _CALL + _SAID
_FIND = _FOUND + _CALL + _SAID
_OPEN = """
UPDATE conversations_generation
SET status = 'running', started_at = %s, instructions = %s, parameters = %s, first_message_id = %s,
    omitted_messages = %s, input_tokens = %s, usage_source = 'estimated'
WHERE id = %s
"""


_PARAMETERS = PlannedCall._fields.index("parameters")


def claim_call(*, message_id: UUID) -> PlannedCall | None:
    """Make an answer streaming, under its next attempt, and return its newest call; None where it is not queued."""
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, {"message": message_id})
        cursor.nextset()
        return _fetch(cursor)


def find_call(*, message_id: UUID) -> PlannedCall:
    """Return the newest call of an answer; none is committed without one."""
    with connection.cursor() as cursor:
        cursor.execute(_FIND, {"message": message_id})
        call = _fetch(cursor)
    if call is None:
        raise Generation.DoesNotExist
    return call


def _fetch(cursor: CursorWrapper) -> PlannedCall | None:
    row = cursor.fetchone()
    if row is None:
        return None
    cursor.nextset()
    return _planned(row, {said.id: said for said in map(Said._make, cursor.fetchall())})


def _planned(row: tuple[Any, ...], said: Mapping[UUID, Said]) -> PlannedCall:
    *columns, parameters, model_tools, assistant_tools, options = row
    # Django has psycopg hand over jsonb as it is written.
    columns[_PARAMETERS] = json.loads(columns[_PARAMETERS])
    columns += map(json.loads, (parameters, model_tools, assistant_tools, options or "null"))
    return PlannedCall._make([*columns, said])


def open_call(call: PlannedCall, *, most_input: int | None = None) -> OpenedCall:
    """Note on the call that it is made now and what is sent, and return that. At most `most_input` tokens of input."""
    opened, first_message, omitted = _compose(call, most_input)
    request = opened.request
    # An estimate until the provider tells; it stands when the call is cut.
    tokens = estimate_tokens(request.instructions) + sum(estimate_tokens(turn.text) for turn in request.turns)
    sent = json.dumps(request.as_sent())
    with connection.cursor() as cursor:
        cursor.execute(_OPEN, [timezone.now(), request.instructions, sent, first_message, omitted, tokens, call.id])
    return opened


def compose_again(call: PlannedCall) -> OpenedCall:
    """Return what a call that goes on was asked, for the steps that may follow it."""
    return _compose(call, None)[0]


def _compose(call: PlannedCall, most_input: int | None) -> tuple[OpenedCall, UUID | None, int]:
    """Return what is asked, the id of the first message that is sent, and how many before it are not."""
    said = _said_before(call)
    turns = [Turn("user" if one.role == Message.Role.USER else "assistant", one.text) for one in said]
    reserve = min(call.max_output_tokens, call.context_window // 2)  # of the window, for the answer
    window = call.context_window if most_input is None else reserve + most_input
    given = ClientOptions.of(call.options)
    instructions = given.behind(call.instructions)
    omitted = choose_window(turns, instructions=instructions, context_window=window, reserve=reserve)
    request = ModelRequest(
        model=call.model_asked,
        instructions=instructions,
        turns=tuple(turns[omitted:]),
        parameters=given.over({"max_output_tokens": call.max_output_tokens} | call.assistant_parameters),
        safety_identifier=safety_identifier(call.owner_id),
        tools=tuple(tool for tool in call.assistant_tools if tool in call.model_tools),
    )
    first_message = said[omitted].id if omitted < len(said) else None
    return OpenedCall(request, _files_of(call, said[omitted:])), first_message, omitted


def _said_before(call: PlannedCall) -> list[Said]:
    """Return the path that the model is shown, oldest first: all on it that has text."""
    path, at = [], call.said.get(call.parent_id)
    while at is not None:
        path.append(at)
        at = call.said.get(at.parent_id) if at.parent_id is not None else None
    return [said for said in reversed(path) if said.text]


def _files_of(call: PlannedCall, said: Sequence[Said]) -> tuple[tuple[PlannedFile, ...], ...]:
    """Return the files that people sent with each of these messages."""
    carriers = [one.id for one in said if one.has_files]
    if not carriers:
        return ()
    found: dict[UUID | None, list[PlannedFile]] = {}
    for file in Attachment.objects.filter(
        message_id__in=carriers, origin=Attachment.Origin.USER, state=Attachment.State.READY
    ):
        found.setdefault(file.message_id, []).append(
            PlannedFile(
                file.pk,
                file.key,
                file.name,
                file.content_type,
                file.size or 0,
                file.sha256,
                file.provider_file_id,
                file.provider_file_expires_at,
                call.accepts_images if file.is_image else call.accepts_files,
            )
        )
    return tuple(tuple(found.get(one.id, ())) for one in said)
