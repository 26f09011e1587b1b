"""Parts of an export on their way into storage, and out of it again. No writer but the newest changes anything."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import tempfile
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO, cast
from uuid import UUID

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from conversations.files import storage
from conversations.files.objects import CHUNK
from records.models import BulkExport, BulkExportPart

logger = logging.getLogger(__name__)

_REMOVED_AT_ONCE = 200
_TYPES = {".json": "application/json", ".jsonl": "application/x-ndjson"}


class Superseded(Exception):
    """The export was cancelled, or another writer holds it."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A writer's hold on an export."""

    export_id: UUID
    attempt: int

    def rows(self) -> QuerySet[BulkExport]:
        """Return the export as long as this is its writer; else nothing."""
        return BulkExport.objects.filter(pk=self.export_id, state=BulkExport.State.RUNNING, attempt=self.attempt)

    def held(self) -> BulkExport:
        """Return the export, locked until the caller's transaction ends. Raises Superseded."""
        export = self.rows().select_for_update(of=("self",), no_key=True).select_related("requested_by").first()
        if export is None:
            raise Superseded(f"Export {self.export_id} was cancelled or taken by another writer.")
        return export


class Draft:
    """A part that is being written into a file of this machine, with its hash. It can be cut to what it was."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.size = 0
        self._sha256 = hashlib.sha256()
        self._mark = (0, self._sha256.copy())

    @property
    def sha256(self) -> str:
        return self._sha256.hexdigest()

    def add(self, data: bytes) -> None:
        self.file.write(data)
        self._sha256.update(data)
        self.size += len(data)

    def fetch(self, key: str) -> None:
        """Add an object of storage. Raises StorageProblem."""
        with contextlib.closing(storage.open_reader(key)) as reader:
            while chunk := reader.read(CHUNK):
                self.add(chunk)

    def mark(self) -> None:
        """Remember this place."""
        self._mark = (self.size, self._sha256.copy())

    def cut(self) -> None:
        """Forget what came after the last mark."""
        self.size, self._sha256 = self._mark[0], self._mark[1].copy()
        self.file.seek(self.size)
        self.file.truncate()


@contextlib.contextmanager
def new_draft() -> Iterator[Draft]:
    """Give an empty draft; nothing of it stays."""
    with tempfile.TemporaryFile(prefix="export-") as file:
        yield Draft(cast(BinaryIO, file))


def put_part(
    *, claim: Claim, kind: str, name: str, draft: Draft, owners: Collection[int] = (), content_type: str = ""
) -> BulkExportPart:
    """Put a part into storage under a row that is not marked as written yet, and return that row.

    The row comes first, so that whatever becomes of this process, the next writer knows of the object. Raises
    StorageProblem, and Superseded, after which nothing is left in storage.
    """
    with transaction.atomic():
        claim.held()
        part = BulkExportPart.objects.create(
            export_id=claim.export_id,
            kind=kind,
            name=name,
            bucket=storage.bucket(),
            key=storage.new_key(),
            size=draft.size,
            sha256=draft.sha256,
            owners=sorted(owners),
        )
    give_connection_back()
    content_type = content_type or _TYPES.get(name[name.rfind(".") :], "application/octet-stream")
    draft.file.flush()
    storage.put(part.key, draft.file, size=part.size, sha256=part.sha256, content_type=content_type)
    if not claim.rows().exists():  # whoever took the export over may have looked for the object too early
        storage.delete(part.key)
        raise Superseded(f"Export {claim.export_id} was cancelled or taken by another writer.")
    return part


def mark_written(*, claim: Claim, parts: Sequence[BulkExportPart], **changes: object) -> None:
    """Count parts as written and change columns of their export, in one transaction. Raises Superseded."""
    with transaction.atomic():
        export = claim.held()
        BulkExportPart.objects.filter(pk__in=[part.pk for part in parts]).update(written_at=timezone.now())
        changes |= {"tries": 0, "problem": ""}
        for name, value in changes.items():
            setattr(export, name, value)
        export.save(update_fields=list(changes))


def remove_unwritten(*, claim: Claim) -> None:
    """Remove what an earlier writer had begun. Raises StorageProblem, to be tried again."""
    for part in BulkExportPart.objects.filter(export_id=claim.export_id, written_at__isnull=True):
        storage.clear_up(part.key)
        _remove(part)


def remove_parts(*, export_id: UUID, but: str = "") -> None:
    """Remove the objects of an export, each before its row; the row of kind `but` stays. May be repeated.

    Raises StorageProblem, to be tried again.
    """
    rows = BulkExportPart.objects.filter(export_id=export_id).order_by("pk")
    last = 0
    while batch := list(rows.filter(pk__gt=last)[:_REMOVED_AT_ONCE]):
        last = batch[-1].pk
        for part in batch:
            _remove(part, keeps_row=part.kind == but)


def give_connection_back() -> None:
    """Let go of the database while storage is at work."""
    if not connection.in_atomic_block:
        connection.close()


def _remove(part: BulkExportPart, *, keeps_row: bool = False) -> None:
    if part.bucket != storage.bucket():
        raise storage.StorageProblem(f"deleting {part.key}: that bucket is not the one that is set")
    storage.delete(part.key)
    if not keeps_row:
        part.delete()
