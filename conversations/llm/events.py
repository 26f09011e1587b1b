"""What a model call yields, in this order: Started, then Text and Activity as they come, then Finished."""

from dataclasses import dataclass
from typing import Literal

Outcome = Literal["completed", "incomplete", "refused"]

# The most characters that are told of what the provider calls things.
MODEL_CHARACTERS = 100
ID_CHARACTERS = 200
REASON_CHARACTERS = 60


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as the provider counted them; cached tokens are among the input, reasoning tokens among the output."""

    input_tokens: int
    cached_tokens: int
    output_tokens: int
    reasoning_tokens: int


@dataclass(frozen=True, slots=True)
class Started:
    """The provider took the request. Always the first event; an id or model it did not tell is ""."""

    response_id: str
    model: str
    request_id: str


@dataclass(frozen=True, slots=True)
class Text:
    """More of the answer: every delta that arrived in one packet. May hold U+0000 and unpaired surrogates."""

    text: str


@dataclass(frozen=True, slots=True)
class Activity:
    """What the model is doing while it writes no text, in one line for the reader; "" when that is over."""

    line: str


@dataclass(frozen=True, slots=True)
class Finished:
    """The provider ended the answer.

    `text` is its final text and the truth, also where it differs from the deltas; None where the provider gave none.
    `reason` is the provider's word for why an incomplete answer ended ("max_output_tokens", "content_filter", others).
    """

    outcome: Outcome
    text: str | None
    usage: Usage | None
    model: str
    reason: str


Event = Started | Text | Activity | Finished
