"""The manifest of an export: what it was asked for, and size and hash of every part of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from conversations.exporting.jsonl import line
from records.models import BulkExport, BulkExportPart

FORMAT = 1
NAME = "manifest.json"


def manifest_pieces(export: BulkExport, *, audit_event: int | None) -> Iterator[bytes]:
    """Yield the manifest, part by part, of an export whose parts are all known."""
    head: dict[str, Any] = {
        "format": FORMAT,
        "export": str(export.pk),
        "asked_at": export.created_at.isoformat(),
        "asked_by": {"id": export.requested_by_id, "username": export.requested_by.get_username()},
        "reason": export.reason,
        "audit_event": audit_event,
        "filters": export.filters,
        "conversations": export.done,
    }
    yield json.dumps(head, ensure_ascii=False, indent=2).removesuffix("\n}").encode()
    yield b',\n  "parts": ['
    parts = export.parts.exclude(kind=BulkExportPart.Kind.MANIFEST).order_by("name").iterator(chunk_size=2000)
    for number, part in enumerate(parts):
        facts = {"name": part.name, "kind": part.kind, "size": part.size, "sha256": part.sha256}
        yield (b",\n    " if number else b"\n    ") + line(facts).rstrip("\n").encode()
    yield b"\n  ]\n}\n"
