"""All parts of an export as one ZIP, as fast as it is read."""

from __future__ import annotations

import contextlib
import hashlib
import zipfile
from collections.abc import Generator, Iterator

from django.utils import timezone

from conversations.files import storage
from conversations.files.objects import CHUNK
from records.models import BulkExport, BulkExportPart

_AT_ONCE = 500


class _Sink:
    """What zipfile writes to. It cannot be sought in, so each entry's size and hash follow it."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def flush(self) -> None: ...

    def close(self) -> None: ...

    def take(self) -> bytes:
        """Return what was written since the last time."""
        data = b"".join(self._parts)
        self._parts = []
        return data


def zip_pieces(export: BulkExport) -> Generator[bytes, None, None]:
    """Yield an archive of all parts under their names. An empty piece means that more will come.

    Raises StorageProblem where storage fails or holds other bytes than the manifest says: then the archive is not
    whole, and whoever unpacks it sees that.
    """
    sink = _Sink()
    moment = timezone.localtime(export.finished_at)
    date = (moment.year, moment.month, moment.day, moment.hour, moment.minute, moment.second)
    with zipfile.ZipFile(sink, "w") as archive:
        for part in _parts(export):
            info = zipfile.ZipInfo(part.name, date)
            has_words = part.kind != BulkExportPart.Kind.FILE
            info.compress_type = zipfile.ZIP_DEFLATED if has_words else zipfile.ZIP_STORED
            info.external_attr = 0o600 << 16
            with archive.open(info, "w", force_zip64=part.size * 2 > zipfile.ZIP64_LIMIT) as entry:
                for chunk in _proven(part):
                    entry.write(chunk)
                    yield sink.take()
            yield sink.take()
    yield sink.take()


def _parts(export: BulkExport) -> Iterator[BulkExportPart]:
    last = 0
    rows = export.parts.order_by("pk")
    while batch := list(rows.filter(pk__gt=last)[:_AT_ONCE]):
        yield from batch
        last = batch[-1].pk


def _proven(part: BulkExportPart) -> Iterator[bytes]:
    sha256 = hashlib.sha256()
    with contextlib.closing(storage.open_reader(part.key)) as reader:
        while chunk := reader.read(CHUNK):
            sha256.update(chunk)
            yield chunk
    if sha256.hexdigest() != part.sha256:
        raise storage.StorageProblem(f"reading {part.key}: the hash differs")
