"""What is asked of the model, and the request body it becomes."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlsplit

from django.conf import settings

from conversations.llm.decode import as_list
from conversations.llm.tools import describe_tools

# The conversation's history comes from our own record alone, and what is kept at the provider is not a parameter.
_NOT_PARAMETERS = frozenset(
    {"background", "conversation", "input", "instructions", "previous_response_id", "prompt", "store", "stream"}
)


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file for the model to read: its bytes, or the id it has at the provider (see `upload_file`), which then counts.

    The content type is the one its bytes were found to have; all of image/* are shown to the model as pictures.
    """

    name: str
    content_type: str
    data: bytes = field(default=b"", repr=False)
    file_id: str = ""

    def part(self) -> dict[str, str]:
        """Return it as a part of a message's content."""
        is_image = self.content_type.startswith("image/")
        kind = "input_image" if is_image else "input_file"
        if self.file_id:
            return {"type": kind, "file_id": self.file_id}
        url = f"data:{self.content_type};base64,{base64.b64encode(self.data).decode()}"
        if is_image:
            return {"type": kind, "image_url": url}
        return {"type": kind, "filename": self.name, "file_data": url}


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of the conversation, as the model is to read it. Only a user's may carry files, says the API."""

    role: Literal["user", "assistant"]
    text: str
    files: tuple[InputFile, ...] = ()

    def item(self) -> dict[str, Any]:
        """Return it as an item of the request's input."""
        content: str | list[dict[str, str]] = self.text
        if self.files and self.role == "user":
            content = [{"type": "input_text", "text": self.text}, *(file.part() for file in self.files)]
        # The type may be left out for OpenAI; llama.cpp's server refuses an assistant's message without it.
        return {"type": "message", "role": self.role, "content": content}


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """One call: the model's API name, its instructions, the turns oldest first, and parameters of the Responses API.

    `tools` are names that `describe_tools` knows. `items` follow the turns as they are: for each earlier step of this
    answer its `Finished.follow_up`, then for each of its FunctionCalls an item of type "function_call_output" with the
    `call_id` and the `output`, a text.
    Parameters can set anything but what decides where history and storage live; such keys are left out.
    `safety_identifier` is a stable pseudonym of the person, at most 64 characters, never a name or an address.
    """

    model: str
    instructions: str
    turns: tuple[Turn, ...]
    parameters: Mapping[str, object] = field(default_factory=dict)
    safety_identifier: str = ""
    tools: tuple[str, ...] = ()
    items: tuple[dict[str, Any], ...] = field(default=(), repr=False)

    def as_sent(self) -> dict[str, Any]:
        """Return the request body without `input` and `instructions`: what the record keeps as the parameters.

        The answer is not stored at the provider, except in background mode, which needs it to be ("Background mode" in
        OpenAI's guides) and where it is deleted afterwards.
        """
        background = bool(settings.OPENAI_BACKGROUND)
        body: dict[str, Any] = {key: value for key, value in self.parameters.items() if key not in _NOT_PARAMETERS}
        body |= {"model": self.model, "stream": True, "store": background}
        if background:
            body["background"] = True
        if self.safety_identifier:
            body["safety_identifier"] = self.safety_identifier
        if self.tools:
            body["tools"] = [*as_list(self.parameters.get("tools")), *describe_tools(self.tools)]
        if _is_openai():
            # Random padding of every delta, meant for networks others can watch; here it only costs bytes.
            body["stream_options"] = {"include_obfuscation": False}
        return body

    def body(self) -> dict[str, Any]:
        """Return the whole request body."""
        body = self.as_sent()
        body["input"] = [*(turn.item() for turn in self.turns), *self.items]
        if self.instructions:
            body["instructions"] = self.instructions
        return body


def _is_openai() -> bool:
    """Whether OpenAI itself answers: other servers of the same API need not know OpenAI's stream options."""
    host = urlsplit(settings.OPENAI_BASE_URL).hostname or "api.openai.com"
    return host == "api.openai.com" or host.endswith(".api.openai.com")
