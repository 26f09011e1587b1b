"""Examples for the contract."""

from rest.schema import example

_BATCH = {
    "id": "01936f3c-7a60-7c5e-9d2b-5b0b6f1c2a10",
    "name": "Letters of November",
    "assistant": "general",
    "state": "running",
    "counts": {
        "total": 1200,
        "waiting": 1146,
        "running": 4,
        "completed": 49,
        "incomplete": 0,
        "refused": 1,
        "stopped": 0,
        "failed": 0,
        "interrupted": 0,
        "removed": 0,
    },
    "problem": None,
    "paused_until": None,
    "created_at": "2026-11-23T08:00:00Z",
    "ended_at": None,
    "expires_at": None,
}
_ENDED = {
    "ended_at": "2026-11-23T08:05:00Z",
    "expires_at": "2026-12-23T08:05:00Z",
    "counts": _BATCH["counts"] | {"running": 0, "stopped": 4},  # type: ignore[operator]
}

UPLOAD = example(
    "A file and who answers", {"file": "(the bytes of letters.jsonl)", "assistant": "general"}, request=True
)
MADE = example("Taken", _BATCH, status=201)
BATCH = example("Under way", _BATCH, status=200)
CANCELLED = example("Cancelled", _BATCH | _ENDED | {"state": "cancelled"}, status=200)
LISTED = example("A page", {"results": [_BATCH], "next": None, "previous": None}, status=200)
