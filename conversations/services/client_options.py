"""What a program gives with a prompt beside its text: instructions, and parameters of the call that are left to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from conversations.text import clean_text

PARAMETERS = ("max_output_tokens", "temperature", "top_p")
LEAST_OUTPUT_TOKENS = 16  # that the provider takes ("Create a model response", max_output_tokens)


@dataclass(frozen=True, slots=True)
class ClientOptions:
    """Instructions that follow the assistant's own, and parameters that take the place of the assistant's."""

    instructions: str = ""
    parameters: Mapping[str, int | float] = field(default_factory=dict)

    @classmethod
    def of(cls, stored: Any) -> Self:
        """Return what a column holds; None stands for nothing."""
        if not isinstance(stored, dict):
            return cls()
        return cls(str(stored.get("instructions", "")), dict(stored.get("parameters", {})))

    def stored(self) -> dict[str, Any] | None:
        """Return what the column is to hold: only what was given, and None where nothing was."""
        given: dict[str, Any] = {}
        if instructions := clean_text(self.instructions).strip():
            given["instructions"] = instructions
        if parameters := {name: self.parameters[name] for name in PARAMETERS if name in self.parameters}:
            given["parameters"] = parameters
        return given or None

    def behind(self, instructions: str) -> str:
        """Return the assistant's instructions, then these."""
        return "\n\n".join(part for part in (instructions, self.instructions) if part)

    def over(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Return the assistant's parameters with these in their place. No answer may be longer than it could be before,
        and what is less than the provider takes is asked for as the least that it does.
        """
        merged = {**parameters, **self.parameters}
        if asked := self.parameters.get("max_output_tokens"):
            merged["max_output_tokens"] = min(
                max(int(asked), LEAST_OUTPUT_TOKENS), int(parameters["max_output_tokens"])
            )
        return merged
