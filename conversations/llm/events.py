"""What a model call yields, in this order: Started, then text, activity and what else is made, then Finished."""

from dataclasses import dataclass
from typing import Any, Literal

Outcome = Literal["completed", "incomplete", "refused"]

# The most characters that are told of what the provider calls things.
MODEL_CHARACTERS = 100
ID_CHARACTERS = 200
REASON_CHARACTERS = 60
NAME_CHARACTERS = 1_000


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
class FunctionCall:
    """The model calls a function of ours; each call is told once. What it hands over may be anything, also no JSON."""

    call_id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class ImageMade:
    """A picture that the model has drawn, of the type that its first bytes tell; each is told once."""

    item_id: str
    data: bytes
    content_type: str


@dataclass(frozen=True, slots=True)
class ContainerFile:
    """The text cites a file that the model's code wrote; each file is told once. The name is the model's, any text."""

    container_id: str
    file_id: str
    name: str


@dataclass(frozen=True, slots=True)
class Container:
    """The model's code runs in this container, which may come to hold files that nothing cites; told once."""

    container_id: str


@dataclass(frozen=True, slots=True)
class Finished:
    """The provider ended the answer.

    `text` is its final text and the truth, also where it differs from the deltas; None where the provider gave none.
    `reason` is the provider's word for why an incomplete answer ended ("max_output_tokens", "content_filter", others).
    `follow_up` is what goes before the functions' outputs in the next request's items; empty where none is called.
    """

    outcome: Outcome
    text: str | None
    usage: Usage | None
    model: str
    reason: str
    follow_up: tuple[dict[str, Any], ...] = ()


Event = Started | Text | Activity | FunctionCall | ImageMade | ContainerFile | Container | Finished
