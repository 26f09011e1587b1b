"""Where files are kept: the bucket of AWS_STORAGE_BUCKET_NAME, or files/ in VAR_DIR. Both behave alike.

A key is generated and written once. Whoever tries again after a StorageProblem takes a new key.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import uuid
from collections.abc import Iterator
from typing import IO, BinaryIO

from django.core.files.storage import FileSystemStorage, storages
from django.utils import timezone

from conversations.files.local import LocalFiles
from conversations.files.names import content_disposition
from conversations.files.objects import (
    ANCHORS,
    CHUNK,
    PREFIX,
    Files,
    ObjectMissing,
    Proven,
    Reader,
    StorageProblem,
    StoredObject,
    anchor_key,
    checked_key,
    is_key,
    read_anchor,
)
from conversations.files.streaming import Stream

__all__ = [
    "ObjectMissing",
    "StorageProblem",
    "StoredObject",
    "Stream",
    "anchor_key",
    "bucket",
    "clear_up",
    "delete",
    "fetch",
    "list_anchors",
    "list_keys",
    "new_key",
    "open_reader",
    "open_stream",
    "put",
    "read",
    "signed_url",
    "size_of",
]

logger = logging.getLogger(__name__)


def new_key() -> str:
    """Return a key that nothing has yet; it tells the month and nothing about the file or its owner."""
    return f"{PREFIX}{timezone.now():%Y/%m}/{uuid.uuid4().hex}"


def bucket() -> str:
    """Return the bucket's name; empty for files in VAR_DIR."""
    return _files().bucket


def put(key: str, file: BinaryIO, *, size: int, sha256: str, content_type: str) -> None:
    """Store a file from its first byte on, and prove by reading it back that size and hash are these.

    Returns when storage holds exactly these bytes, also when it held them before. Otherwise raises StorageProblem
    and leaves no object behind, as far as storage can still be reached. What is there already under the key stays.
    """
    files = _files()
    if files.size_of(checked_key(key)) is not None:
        if _holds(files, key, size=size, sha256=sha256):
            return
        raise StorageProblem(f"writing {key}: the key is taken")
    try:
        file.seek(0)
        files.write(key, file, content_type=content_type)
        _prove(files, key, size=size, sha256=sha256)
    except BaseException:
        with contextlib.suppress(StorageProblem):
            files.delete(key)
        raise


def open_stream(key: str, *, start: int = 0, end: int | None = None, sha256: str = "") -> Stream:
    """Return an asynchronous iterator over the bytes from `start` up to, not including, `end`.

    Nothing is asked of storage before the first chunk is. Then raises ObjectMissing when there is no object, and
    StorageProblem when storage fails or, for a whole file whose `sha256` is given, holds other bytes: its last chunk
    is then held back, so that whoever was told the length sees that it is not whole.
    """
    files, key = _files(), checked_key(key)
    is_whole = start == 0 and end is None
    return Stream(lambda: _reader(files, key, start=start, end=end, sha256=sha256 if is_whole else ""))


def read(key: str, *, sha256: str = "") -> bytes:
    """Return a file; for those that are small enough to be held in memory. Errors are those of `open_stream`."""
    with contextlib.closing(_reader(_files(), checked_key(key), sha256=sha256)) as reader:
        return b"".join(iter(lambda: reader.read(CHUNK), b""))


def open_reader(key: str) -> Reader:
    """Return a reader of a whole file, for threads: `read` gives b"" at its end. Errors are those of `open_stream`."""
    return _reader(_files(), checked_key(key))


def fetch(key: str, target: IO[bytes]) -> tuple[int, str]:
    """Write a file into `target`, in chunks; return its size and SHA-256. Errors are those of `open_stream`."""
    found, size = hashlib.sha256(), 0
    with contextlib.closing(open_reader(key)) as reader:
        while chunk := reader.read(CHUNK):
            target.write(chunk)
            found.update(chunk)
            size += len(chunk)
    return size, found.hexdigest()


def size_of(key: str) -> int | None:
    """Return how many bytes an object has; None when there is none."""
    return _files().size_of(checked_key(key))


def delete(key: str) -> None:
    """Delete an object, with every version where the bucket keeps them. A missing one is fine."""
    _files().delete(checked_key(key))


def clear_up(key: str) -> None:
    """Remove what a process left that ended in the middle of writing an object. What is there of others stays."""
    _files().clear_up(checked_key(key))


def list_keys() -> Iterator[StoredObject]:
    """Yield key, size and time of every object of ours, and of what a killed process left half written."""
    return (found for found in _files().listing() if is_key(found.key))


def list_anchors() -> Iterator[tuple[int, str]]:
    """Yield number and hash of the event that each anchor of the audit tells of."""
    return (found for stored in _files().listing(ANCHORS) if (found := read_anchor(stored.key)))


def signed_url(key: str, *, name: str, content_type: str) -> str | None:
    """Return a link that downloads an object for 60 s without signing in; None where browsers cannot reach storage.

    Name and type are part of the signature: whoever changes them, or the key, is refused by the bucket.
    """
    disposition = content_disposition(name, inline=False)
    return _files().signed_url(checked_key(key), disposition=disposition, content_type=content_type)


def _files() -> Files:
    storage = storages["default"]
    if isinstance(storage, FileSystemStorage):
        return LocalFiles(storage)
    from conversations.files.s3 import BucketFiles  # boto3 is heavy, and not needed without a bucket

    return BucketFiles(storage)


def _reader(files: Files, key: str, *, start: int = 0, end: int | None = None, sha256: str = "") -> Reader:
    reader = files.open(key, start, end)
    return Proven(reader, key=key, sha256=sha256) if sha256 else reader


def _prove(files: Files, key: str, *, size: int, sha256: str) -> None:
    if not _holds(files, key, size=size, sha256=sha256):
        logger.error("Storage does not hold what was put under %s; it is removed", key)
        raise StorageProblem(f"writing {key}: size or hash differ")


def _holds(files: Files, key: str, *, size: int, sha256: str) -> bool:
    found, length = hashlib.sha256(), 0
    with contextlib.closing(files.open(key, 0, None)) as reader:
        while chunk := reader.read(CHUNK):
            found.update(chunk)
            length += len(chunk)
    return (length, found.hexdigest()) == (size, sha256)
