"""What is asked of the model, and the request body it becomes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlsplit

from django.conf import settings

# The conversation's history comes from our own record alone, and what is kept at the provider is not a parameter.
_NOT_PARAMETERS = frozenset(
    {"background", "conversation", "input", "instructions", "previous_response_id", "prompt", "store", "stream"}
)


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of the conversation, as the model is to read it."""

    role: Literal["user", "assistant"]
    text: str


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """One call: the model's API name, its instructions, the turns oldest first, and parameters of the Responses API.

    Parameters can set anything but what decides where history and storage live; such keys are left out.
    `safety_identifier` is a stable pseudonym of the person, at most 64 characters, never a name or an address.
    """

    model: str
    instructions: str
    turns: tuple[Turn, ...]
    parameters: Mapping[str, object] = field(default_factory=dict)
    safety_identifier: str = ""

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
        if _is_openai():
            # Random padding of every delta, meant for networks others can watch; here it only costs bytes.
            body["stream_options"] = {"include_obfuscation": False}
        return body

    def body(self) -> dict[str, Any]:
        """Return the whole request body."""
        body = self.as_sent()
        # The type may be left out for OpenAI; llama.cpp's server refuses an assistant's message without it.
        body["input"] = [{"type": "message", "role": turn.role, "content": turn.text} for turn in self.turns]
        if self.instructions:
            body["instructions"] = self.instructions
        return body


def _is_openai() -> bool:
    """Whether OpenAI itself answers: other servers of the same API need not know OpenAI's stream options."""
    host = urlsplit(settings.OPENAI_BASE_URL).hostname or "api.openai.com"
    return host == "api.openai.com" or host.endswith(".api.openai.com")
