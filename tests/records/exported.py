"""Exports of many conversations, as tests ask for them and read them."""

from __future__ import annotations

import datetime
import hashlib
import json
from typing import Any

from django.contrib.auth.models import Permission
from django.utils import timezone

from accounts.models import User
from conversations.files import storage
from records.exporting.filters import ExportFilters
from records.models import BulkExport, BulkExportPart, RetentionRun, Tombstone
from records.services.bulk_exporting import ask_export
from records.services.export_parts import Claim
from records.services.export_writing import OF_PARTS, Sizes, claim_export, write_next
from tests.factories import make_user

WHY = "Case 2026-17"


def make_exporter(**fields: Any) -> User:
    """Staff with the one right to export."""
    exporter = make_user(is_staff=True, **fields)
    exporter.user_permissions.add(Permission.objects.get(codename="export_record"))
    return User.objects.get(pk=exporter.pk)


def ask(person: User | None = None, **filters: Any) -> BulkExport:
    return ask_export(person=person or make_exporter(), reason=WHY, filters=ExportFilters(**filters))


def claim(export: BulkExport) -> Claim:
    found = claim_export(export_id=export.pk)
    assert found is not None
    return found


def write(export: BulkExport, sizes: Sizes = OF_PARTS) -> BulkExport:
    """Write it to its end, as a job does."""
    held = claim(export)
    while write_next(claim=held, sizes=sizes):
        pass
    export.refresh_from_db()
    return export


def parts(export: BulkExport) -> dict[str, bytes]:
    """Return what storage holds of each part, after comparing it with the part's row."""
    found = {}
    for part in BulkExportPart.objects.filter(export=export):
        data = storage.read(part.key)
        assert (len(data), hashlib.sha256(data).hexdigest()) == (part.size, part.sha256), part.name
        assert part.written_at is not None
        found[part.name] = data
    return found


def rows(export: BulkExport, kind: str = "conversations") -> list[dict[str, Any]]:
    """Return all lines of the parts of a kind."""
    found = parts(export)
    names = sorted(name for name in found if name.startswith(kind))
    return [json.loads(line) for name in names for line in found[name].decode().split("\n")[:-1]]


def manifest(export: BulkExport) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(parts(export)["manifest.json"])
    return found


def chosen(**filters: Any) -> set[str]:
    """Return the conversations that an export with these filters holds."""
    return {row["id"] for row in rows(write(ask(**filters))) if row["type"] == "conversation"}


def keys() -> set[str]:
    """Return what storage holds."""
    return {found.key for found in storage.list_keys()}


def bury(owner: User, **fields: Any) -> Tombstone:
    """What is left of a conversation that was removed."""
    now = timezone.now()
    fields = {
        "owner_id": owner.pk,
        "assistant_id": 1,
        "created_at": now,
        "last_activity_at": now,
        "messages": 2,
        "generations": 1,
        "attachments": 0,
        "attachment_bytes": 0,
        "input_tokens": 10,
        "output_tokens": 5,
        "cost": "0.5",
        "unpriced_calls": 0,
        "removed_at": now,
    } | fields
    return Tombstone.objects.create(run=RetentionRun.objects.create(kind="policies"), **fields)


def days_ago(days: int) -> datetime.datetime:
    return timezone.now() - datetime.timedelta(days=days)
