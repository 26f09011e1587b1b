"""The door in the OpenAPI document. Its shapes are OpenAI's; here stands what of them is taken and given."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiResponse

from conversations.api.live.sse import MEDIA_TYPE
from rest.schema import example

type Schema = dict[str, Any]

_TEXT: Schema = {"type": "string"}
_NUMBER: Schema = {"type": "integer"}
_MAYBE_TEXT: Schema = {"type": ["string", "null"]}


def _object(required: dict[str, Schema], **optional: Schema) -> Schema:
    return {"type": "object", "required": list(required), "properties": required | optional}


_ID = "0199f6a25b1c7c3e9d440f3c9a1b7e02"
_CONVERSATION = "0199f6a2-5b1c-7c3e-9d44-0f3c9a1b7e00"
_MODEL = {"id": "general", "object": "model", "created": 0, "owned_by": "assistant"}

MODEL = _object({"id": _TEXT, "object": {"const": "model"}, "created": _NUMBER, "owned_by": _TEXT})
MODELS = _object({"object": {"const": "list"}, "data": {"type": "array", "items": MODEL}})
MODEL_EXAMPLE = example("An assistant", _MODEL)
MODELS_EXAMPLE = example(
    "What can be asked", {"object": "list", "data": [_MODEL, _MODEL | {"id": "gpt-4o", "owned_by": "model"}]}
)

_BOTH: dict[str, Schema] = {
    "model": {"type": "string", "minLength": 1, "description": "An assistant's slug, or the name of an offered model."},
    "stream": {"type": ["boolean", "null"], "description": "As server-sent events."},
    "temperature": {"type": ["number", "null"], "minimum": 0, "maximum": 2},
    "top_p": {"type": ["number", "null"], "minimum": 0, "maximum": 1},
    "metadata": {"type": ["object", "null"], "additionalProperties": {"type": "string", "maxLength": 512}},
    "conversation": {
        "description": "The conversation that is gone on with, as an earlier answer named it; also as "
        "`metadata.conversation`. Left out, a new one begins.",
        "anyOf": [
            {"type": "string", "format": "uuid"},
            _object({"id": {"type": "string", "format": "uuid"}}),
            {"type": "null"},
        ],
    },
}
_PART = _object(
    {"type": {"enum": ["text", "image_url", "file", "input_text", "output_text", "input_image", "input_file"]}}
)
_MESSAGE = _object(
    {"role": {"enum": ["system", "developer", "user", "assistant"]}},
    content={"anyOf": [_TEXT, {"type": "array", "items": _PART}, {"type": "null"}]},
)
_MESSAGES: Schema = {"type": "array", "items": _MESSAGE, "minItems": 1}
_LENGTH: Schema = {"type": ["integer", "null"], "minimum": 1}

CHAT_REQUEST = {
    "application/json": _object(
        {"model": _BOTH["model"], "messages": _MESSAGES},
        **{name: schema for name, schema in _BOTH.items() if name != "model"},
        stream_options=_object({}, include_usage={"type": "boolean"}) | {"type": ["object", "null"]},
        max_tokens=_LENGTH,
        max_completion_tokens=_LENGTH,
    )
}
_USAGE: Schema = {
    "anyOf": [
        _object({"prompt_tokens": _NUMBER, "completion_tokens": _NUMBER, "total_tokens": _NUMBER}),
        {"type": "null"},
    ]
}
_CHOICE = _object(
    {
        "index": _NUMBER,
        "message": _object({"role": {"const": "assistant"}, "content": _MAYBE_TEXT, "refusal": _MAYBE_TEXT}),
        "finish_reason": {"enum": ["stop", "length", "content_filter"]},
    }
)
CHAT = _object(
    {
        "id": _TEXT,
        "object": {"const": "chat.completion"},
        "created": _NUMBER,
        "model": _TEXT,
        "choices": {"type": "array", "items": _CHOICE},
        "usage": _USAGE,
        "conversation": {"type": "string", "format": "uuid"},
    }
)
CHAT_RESPONSES = {
    200: OpenApiResponse(CHAT, "The answer."),
    (200, MEDIA_TYPE): OpenApiResponse(OpenApiTypes.STR, "Chunks, and `[DONE]` at the end."),
}
_NOT_OFFERED = (
    "Tools, more than one answer, and what else changes what is said are refused. Images and files stand in the "
    "request as data; no address is followed. What is meant for the provider's caches and statistics is passed over."
)
CHAT_WORDS = (
    "OpenAI's chat completions, recorded under the token's owner. System and developer messages follow the assistant's "
    "own instructions. Without `conversation` a new one begins, and what stands before the last message is stored as "
    f"supplied; with it, the messages must extend what is stored, or the answer is 409. {_NOT_OFFERED}"
)
_CHAT_ASKED = {
    "model": "general",
    "messages": [
        {"role": "system", "content": "Answer in one word."},
        {"role": "user", "content": "Which colour has the sky?"},
    ],
    "temperature": 0.2,
}
_CHAT_ANSWERED = {
    "id": f"chatcmpl-{_ID}",
    "object": "chat.completion",
    "created": 1795369402,
    "model": "general",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Blue.", "refusal": None, "annotations": []},
            "logprobs": None,
            "finish_reason": "stop",
        }
    ],
    "usage": {"prompt_tokens": 31, "completion_tokens": 2, "total_tokens": 33},
    "conversation": _CONVERSATION,
}
_CHUNKS = f"""data: {{"id":"chatcmpl-{_ID}","object":"chat.completion.chunk","choices":[{{"index":0,"delta":{{"content":"Blue."}},"finish_reason":null}}],…}}

data: {{"id":"chatcmpl-{_ID}","object":"chat.completion.chunk","choices":[{{"index":0,"delta":{{}},"finish_reason":"stop"}}],…}}

data: [DONE]
"""  # noqa: E501 (a line of a stream)
CHAT_EXAMPLES = [
    example("A question", _CHAT_ASKED, request=True),
    OpenApiExample(
        "The answer", _CHAT_ANSWERED, response_only=True, status_codes=["200"], media_type="application/json"
    ),
    OpenApiExample("Chunks", _CHUNKS, response_only=True, status_codes=["200"], media_type=MEDIA_TYPE),
]

RESPONSE_REQUEST = {
    "application/json": _object(
        {"model": _BOTH["model"], "input": {"anyOf": [_TEXT, _MESSAGES]}},
        **{name: schema for name, schema in _BOTH.items() if name != "model"},
        instructions=_MAYBE_TEXT,
        max_output_tokens=_LENGTH,
        previous_response_id=_MAYBE_TEXT,
        background={"type": ["boolean", "null"], "description": "Answers at once; to be read later."},
    )
}
_RESPONSE_ERROR = {"anyOf": [_object({"code": _TEXT, "message": _TEXT}), {"type": "null"}]}
RESPONSE = _object(
    {
        "id": _TEXT,
        "object": {"const": "response"},
        "created_at": _NUMBER,
        "status": {"enum": ["queued", "in_progress", "completed", "incomplete", "cancelled", "failed"]},
        "error": _RESPONSE_ERROR,
        "model": _TEXT,
        "output": {"type": "array", "items": _object({"id": _TEXT, "type": {"const": "message"}, "role": _TEXT})},
        "usage": {
            "anyOf": [
                _object({"input_tokens": _NUMBER, "output_tokens": _NUMBER, "total_tokens": _NUMBER}),
                {"type": "null"},
            ]
        },
        "conversation": _object({"id": {"type": "string", "format": "uuid"}}),
    }
)
RESPONSE_RESPONSES = {
    200: OpenApiResponse(RESPONSE, "The response; `in_progress` where it takes longer than can be waited for."),
    (200, MEDIA_TYPE): OpenApiResponse(OpenApiTypes.STR, "Its events."),
}
RESPONSE_WORDS = (
    "OpenAI's responses, recorded under the token's owner. Behind a `conversation` or a `previous_response_id` the "
    "input is what is new; where it holds answers too, it is all that was said and must extend what is stored, or the "
    f"answer is 409. {_NOT_OFFERED}"
)
_RESPONSE_ASKED = {"model": "general", "instructions": "Answer in one word.", "input": "Which colour has the sky?"}
_RESPONSE_ANSWERED = {
    "id": f"resp_{_ID}",
    "object": "response",
    "created_at": 1795369402,
    "status": "completed",
    "error": None,
    "model": "general",
    "output": [
        {
            "id": f"msg_{_ID}",
            "type": "message",
            "status": "completed",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "Blue.", "annotations": [], "logprobs": []}],
        }
    ],
    "usage": {"input_tokens": 31, "output_tokens": 2, "total_tokens": 33},
    "conversation": {"id": _CONVERSATION},
}
RESPONSE_EXAMPLE = example("A response", _RESPONSE_ANSWERED)
_EVENTS = """event: response.output_text.delta
data: {"type":"response.output_text.delta","delta":"Blue.",…}

event: response.completed
data: {"type":"response.completed","response":{…},…}
"""
RESPONSE_EXAMPLES = [
    example("A question", _RESPONSE_ASKED, request=True),
    OpenApiExample(
        "A response", _RESPONSE_ANSWERED, response_only=True, status_codes=["200"], media_type="application/json"
    ),
    OpenApiExample("Events", _EVENTS, response_only=True, status_codes=["200"], media_type=MEDIA_TYPE),
]

_ERROR = _object({"error": _object({"message": _TEXT, "type": _TEXT, "param": _MAYBE_TEXT, "code": _MAYBE_TEXT})})
_WORDS = {
    400: "The request cannot be used",
    401: "Nobody signed in",
    403: "Not allowed",
    404: "Not there, or not yours",
    405: "Not this method",
    409: "At odds with how things stand",
    413: "Too large",
    415: "Not this type",
    429: "Too much",
    500: "A fault of ours",
    502: "The model cannot be had",
    503: "Away",
    504: "It takes longer than can be waited for",
}


def errors(*, method: str, has_body: bool, has_path: bool) -> dict[str, Schema]:
    """Return the errors that any address of the door may answer, by status."""
    said = {"message": "…", "type": "invalid_request_error", "param": None, "code": "invalid_value"}
    content = {"application/json": {"schema": _ERROR, "example": {"error": said}}}
    return {str(status): {"description": words, "content": content} for status, words in _WORDS.items()}
