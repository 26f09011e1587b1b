"""Exports of many conversations that nobody may have but who has the right."""

from __future__ import annotations

import datetime
import hashlib
import io
from dataclasses import dataclass

from django.utils import timezone

from accounts.models import User
from conversations.files import storage
from records.models import BulkExport, BulkExportPart


@dataclass(frozen=True)
class Exports:
    """An export that is under way, and a part of one that can be had."""

    running: BulkExport
    part: BulkExportPart

    @classmethod
    def of(cls, person: User, secret: str) -> Exports:
        running = BulkExport.objects.create(requested_by=person, reason="Case 17", state="running")
        until = timezone.now() + datetime.timedelta(days=7)
        done = BulkExport.objects.create(
            requested_by=person, reason="Case 17", state="done", finished_at=timezone.now(), expires_at=until
        )
        data, key = secret.encode(), storage.new_key()
        sha256 = hashlib.sha256(data).hexdigest()
        storage.put(key, io.BytesIO(data), size=len(data), sha256=sha256, content_type="application/x-ndjson")
        part = BulkExportPart.objects.create(
            export=done,
            kind="conversations",
            name="conversations-00001.jsonl",
            bucket=storage.bucket(),
            key=key,
            size=len(data),
            sha256=sha256,
            written_at=timezone.now(),
        )
        return cls(running, part)
