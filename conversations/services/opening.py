"""Opening a call for an answer: what is sent is made from the record, and written to it before the request leaves."""

from __future__ import annotations

import datetime
import json
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection
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
    WHERE id = %s AND status = 'queued' RETURNING *
)
"""
_FOUND = """
WITH message AS (SELECT * FROM conversations_message WHERE id = %s)
"""
_CLAIM = _CLAIMED + _CALL
_FIND = _FOUND + _CALL
_PATH = """
WITH RECURSIVE path AS (
    SELECT id, parent_id, role, text, 0 AS distance FROM conversations_message WHERE id = %s
    UNION ALL
    SELECT before.id, before.parent_id, before.role, before.text, path.distance + 1
    FROM path JOIN conversations_message AS before ON before.id = path.parent_id
)
SELECT id, role, text, EXISTS (SELECT FROM conversations_attachment WHERE message_id = path.id)
FROM path WHERE text <> '' ORDER BY distance DESC
"""


_PARAMETERS = PlannedCall._fields.index("parameters")


def claim_call(*, message_id: UUID) -> PlannedCall | None:
    """Make an answer streaming, under its next attempt, and return its newest call; None where it is not queued."""
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, [message_id])
        row = cursor.fetchone()
    return _planned(row) if row is not None else None


def find_call(*, message_id: UUID) -> PlannedCall:
    """Return the newest call of an answer."""
    with connection.cursor() as cursor:
        cursor.execute(_FIND, [message_id])
        return _planned(cursor.fetchone())  # there is one: an answer is committed with its call


def _planned(row: tuple[Any, ...]) -> PlannedCall:
    *columns, parameters, model_tools, assistant_tools, options = row
    # Django has psycopg hand over jsonb as it is written.
    columns[_PARAMETERS] = json.loads(columns[_PARAMETERS])
    columns += map(json.loads, (parameters, model_tools, assistant_tools, options or "null"))
    return PlannedCall._make(columns)


def open_call(call: PlannedCall, *, most_input: int | None = None) -> OpenedCall:
    """Note on the call that it is made now and what is sent, and return that. At most `most_input` tokens of input."""
    opened, first_message, omitted = _compose(call, most_input)
    request = opened.request
    Generation.objects.filter(pk=call.id).update(
        status=Generation.Status.RUNNING,
        started_at=timezone.now(),
        instructions=request.instructions,
        parameters=request.as_sent(),
        first_message=first_message,
        omitted_messages=omitted,
        # An estimate until the provider tells; it stands when the call is cut.
        input_tokens=estimate_tokens(request.instructions) + sum(estimate_tokens(turn.text) for turn in request.turns),
        usage_source=Generation.UsageSource.ESTIMATED,
    )
    return opened


def compose_again(call: PlannedCall) -> OpenedCall:
    """Return what a call that goes on was asked, for the steps that may follow it."""
    return _compose(call, None)[0]


def _compose(call: PlannedCall, most_input: int | None) -> tuple[OpenedCall, UUID | None, int]:
    """Return what is asked, the id of the first message that is sent, and how many before it are not."""
    said = _said_before(call)
    turns = [Turn("user" if role == Message.Role.USER else "assistant", text) for _, role, text, _ in said]
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
    first_message = said[omitted][0] if omitted < len(said) else None
    return OpenedCall(request, _files_of(call, said[omitted:])), first_message, omitted


def _said_before(call: PlannedCall) -> list[tuple[UUID, str, str, bool]]:
    """Return the path that the model is shown, as id, role, text and whether it carries files: all that has text."""
    with connection.cursor() as cursor:
        cursor.execute(_PATH, [call.parent_id])
        path: list[tuple[UUID, str, str, bool]] = cursor.fetchall()
        return path


def _files_of(call: PlannedCall, said: list[tuple[UUID, str, str, bool]]) -> tuple[tuple[PlannedFile, ...], ...]:
    """Return the files that people sent with each of these messages."""
    carriers = [pk for pk, _, _, has_files in said if has_files]
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
    return tuple(tuple(found.get(pk, ())) for pk, *_ in said)
