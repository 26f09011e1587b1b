"""How a client wants its answer: streamed, waited for so long, or not at all (RFC 9110, Accept; RFC 7240, Prefer)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from conversations.api.live.sse import MEDIA_TYPE

if TYPE_CHECKING:
    from rest_framework.request import Request

LONGEST_SECONDS = 290
"""That a request waits for an answer: a proxy's patience of five minutes is not tried."""
JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Preference:
    """How long to wait, and what to say in `Preference-Applied`; empty: nothing was asked for."""

    seconds: int
    applied: str


def preference_of(request: Request) -> Preference:
    """Return how long the request wants to wait. What it says that makes no sense is passed over, as RFC 7240 wants."""
    asked: dict[str, str] = {}
    for part in request.headers.get("Prefer", "").split(","):
        name, _, value = part.partition(";")[0].partition("=")
        asked.setdefault(name.strip().lower(), value.strip().strip('"'))
    wait = asked.get("wait", "")
    if wait.isascii() and wait.isdigit():
        seconds = min(int(wait[:9]), LONGEST_SECONDS)
        return Preference(seconds, f"wait={seconds}")
    return Preference(0, "respond-async") if "respond-async" in asked else Preference(LONGEST_SECONDS, "")


def wants_stream(request: Request) -> bool:
    """Whether the request names server-sent events in `Accept`, and nothing that it would rather have."""
    names_it = any(kind.match(MEDIA_TYPE) and "*" not in str(kind) and kind.quality for kind in request.accepted_types)
    return names_it and request.get_preferred_type([MEDIA_TYPE, JSON]) == MEDIA_TYPE
