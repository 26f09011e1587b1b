"""A request of the door, read as a whole: what is asked of whom, and how the answer is wanted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.conf import settings

from conversations.api.openai.errors import wrong
from conversations.api.openai.parts import Heard, Turn, read_messages, said_of
from conversations.api.openai.values import (
    Fields,
    check_names,
    conversation_of,
    count_of,
    flag_of,
    id_of,
    number_of,
    object_of,
    text_of,
)
from conversations.models import Message
from conversations.services.client_options import ClientOptions

RESPONSE = "resp_"
BETWEEN_INSTRUCTIONS = "\n\n"
_BOTH = frozenset({"model", "stream", "stream_options", "temperature", "top_p", "metadata", "conversation"})
_OF_CHAT = _BOTH | {"messages", "max_tokens", "max_completion_tokens"}
_OF_RESPONSES = _BOTH | {"input", "instructions", "max_output_tokens", "previous_response_id", "background"}
_OF_STREAMS = frozenset({"include_usage", "include_obfuscation"})


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request asks for."""

    model: str
    heard: Heard
    options: ClientOptions
    conversation_id: UUID | None
    is_streamed: bool
    previous_id: UUID | None = None
    """The answer that it goes on from."""
    is_addition: bool = False
    """The messages are what is new, rather than all that was said."""
    has_usage: bool = False
    """Whether the stream of a chat ends with what was used."""
    is_background: bool = False
    metadata: Mapping[str, Any] = field(default_factory=dict)


def read_chat(body: Fields) -> Asked:
    """Return what the body of a chat completion asks for. Raises Problem (400), naming the parameter."""
    check_names(body, _OF_CHAT)
    heard = read_messages(body.get("messages"), "messages")
    length = count_of(body, "max_completion_tokens") or count_of(body, "max_tokens")
    stream_options = _stream_options(body)
    return Asked(
        model=_model(body),
        heard=heard,
        options=_options(body, heard.instructions, length, "messages"),
        conversation_id=conversation_of(body),
        is_streamed=flag_of(body, "stream"),
        has_usage=flag_of(stream_options, "include_usage"),
        metadata=_metadata(body),
    )


def read_response(body: Fields) -> Asked:
    """Return what the body of a response asks for. Raises Problem (400), naming the parameter.

    With a conversation, or an earlier response, its messages are what is new unless there are answers among them: then
    they are all that was said.
    """
    check_names(body, _OF_RESPONSES)
    heard = _input(body.get("input"))
    conversation_id, previous_id = conversation_of(body), None
    if (previous := body.get("previous_response_id")) is not None:
        previous_id = id_of(previous, "previous_response_id", RESPONSE)
        if conversation_id is not None:
            raise wrong("previous_response_id", "Name a conversation or a previous response, not both.")
        if heard.has_answers:
            raise wrong("input", "Behind a previous response, say only what is new.")
    told = (text_of(body, "instructions") or "", *heard.instructions)
    _stream_options(body)
    return Asked(
        model=_model(body),
        heard=heard,
        options=_options(body, told, count_of(body, "max_output_tokens"), "instructions"),
        conversation_id=conversation_id,
        is_streamed=flag_of(body, "stream"),
        previous_id=previous_id,
        is_addition=previous_id is not None or (conversation_id is not None and not heard.has_answers),
        is_background=flag_of(body, "background"),
        metadata=_metadata(body),
    )


def _input(value: object) -> Heard:
    if isinstance(value, str):
        return Heard((), (Turn(said_of(Message.Role.USER, value, "input")),))
    return read_messages(value, "input")


def _model(body: Fields) -> str:
    model = text_of(body, "model")
    if not model:
        raise wrong("model", "You must provide a model: an assistant, or the name of a model.", "missing_parameter")
    return model


def _options(body: Fields, told: tuple[str, ...], length: int | None, param: str) -> ClientOptions:
    instructions = BETWEEN_INSTRUCTIONS.join(part.strip() for part in told if part.strip())
    if len(instructions) > settings.MAX_PROMPT_CHARS:
        raise wrong(
            param,
            f"The instructions have {len(instructions):,} characters; they may have {settings.MAX_PROMPT_CHARS:,}.",
        )
    given = {
        "temperature": number_of(body, "temperature", most=2),
        "top_p": number_of(body, "top_p", most=1),
        "max_output_tokens": length,
    }
    return ClientOptions(instructions, {name: value for name, value in given.items() if value is not None})


def _stream_options(body: Fields) -> Fields:
    options = object_of(body, "stream_options")
    for name in options:
        if name not in _OF_STREAMS:
            raise wrong(f"stream_options.{name}", f"Unknown parameter: “{name[:60]}”.", "unknown_parameter")
        flag_of(options, name)
    return options


def _metadata(body: Fields) -> Fields:
    metadata = object_of(body, "metadata")
    if len(metadata) > 16 or not all(isinstance(value, str) and len(value) <= 512 for value in metadata.values()):
        raise wrong("metadata", "“metadata” may hold 16 texts of up to 512 characters.")
    return metadata
