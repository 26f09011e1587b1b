"""Anchors: what the audit came to, kept outside the database, so that a tail that is cut off is missed."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass

from audit.chain import GENESIS, hash_of
from audit.models import AuditEvent
from conversations.files import storage


@dataclass(slots=True)
class AuditTally:
    """How much of the audit was looked at."""

    events: int = 0
    anchors: int = 0


def last_event() -> tuple[int, str] | None:
    """Return number and hash of the newest event; None where there is none."""
    return AuditEvent.objects.order_by("-seq").values_list("seq", "hash").first()


def put_anchor(seq: int, hash_: str) -> None:
    """Put into storage which hash an event had. It is never written over. Raises StorageProblem."""
    text = json.dumps({"seq": seq, "hash": hash_}).encode()
    sha256 = hashlib.sha256(text).hexdigest()
    key = storage.anchor_key(seq, hash_)
    storage.put(key, io.BytesIO(text), size=len(text), sha256=sha256, content_type="application/json")


def verify_audit(tally: AuditTally) -> Iterator[str]:
    """Yield what is wrong with the audit, from its first event to its last, in bounded memory; count what was read.

    Each event is compared with its own hash, with the one before, and with the anchors that storage holds. Raises
    StorageProblem where storage cannot be asked.
    """
    anchors: dict[int, set[str]] = {}
    for seq, hash_ in storage.list_anchors():
        anchors.setdefault(seq, set()).add(hash_)
        tally.anchors += 1
    seq, previous = 0, GENESIS
    for event in AuditEvent.objects.order_by("seq").iterator(chunk_size=2000):
        tally.events += 1
        if event.seq != seq + 1:
            yield f"audit {_span(seq + 1, event.seq - 1)} missing"
        elif event.previous_hash != previous:
            yield f"audit event {event.seq} does not follow the one before: one of them was changed"
        if hash_of(event) != event.hash:
            yield f"audit event {event.seq} is not what was written: its hash is another"
        if wrong := anchors.pop(event.seq, set()) - {event.hash}:
            yield f"audit event {event.seq} had another hash when storage was told: {', '.join(sorted(wrong))}"
        seq, previous = event.seq, event.hash
    if gone := [anchored for anchored in anchors if anchored > seq]:
        yield f"audit {_span(seq + 1, max(gone))} missing at the end: storage holds an anchor of event {max(gone)}"


def _span(first: int, last: int) -> str:
    return f"event {first} is" if first == last else f"events {first} to {last} are"
