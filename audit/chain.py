"""How events are chained: each one's hash covers its columns and the hash of the one before."""

from __future__ import annotations

import datetime
import hashlib
import json

from audit.models import AuditEvent

GENESIS = "0" * 64
"""Stands before the first event."""


def hash_of(event: AuditEvent) -> str:
    """Return the hash that `event` must have, in hex: SHA-256 of its columns as one JSON list in UTF-8.

    The list is [seq, kind, actor, object type, object id, subject, reason, details, time, previous hash]; the time is
    in UTC with microseconds, keys of details are sorted, and nothing but a comma or colon stands between values. So
    anybody can reckon it from the row alone, in any language.
    """
    columns = [
        event.seq,
        event.kind,
        event.actor_id,
        event.object_type,
        event.object_id,
        event.subject_id,
        event.reason,
        event.details,
        event.created_at.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        event.previous_hash,
    ]
    text = json.dumps(columns, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
