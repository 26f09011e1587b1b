"""What both kinds of storage share: their errors, the shape of a key, and how an object is read."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Iterator
from datetime import datetime
from typing import BinaryIO, NamedTuple, Protocol

logger = logging.getLogger(__name__)

CHUNK = 256 * 1024
PREFIX = "files/"
ANCHORS = "files/anchors/"
# The second half is the name of a local file that is still being written.
_KEY = re.compile(r"files/\d{4}/\d{2}/[0-9a-f]{32}(\.[0-9a-f]{8}\.part)?", re.ASCII)
_ANCHOR = re.compile(r"files/anchors/(\d{20})-([0-9a-f]{64})", re.ASCII)


class StorageProblem(Exception):
    """Storage failed or holds other bytes than it should; the text says which operation and why, for logs."""


class ObjectMissing(StorageProblem):
    """There is no object with that key."""


class StoredObject(NamedTuple):
    """One object of a listing."""

    key: str
    size: int
    modified_at: datetime


class Reader(Protocol):
    """An object that is being read; `read` gives b"" at its end."""

    def read(self, amount: int, /) -> bytes: ...

    def close(self) -> None: ...


class Files(Protocol):
    """What a kind of storage can do. Keys are valid; errors are StorageProblem."""

    @property
    def bucket(self) -> str: ...

    def write(self, key: str, file: BinaryIO, *, content_type: str) -> None: ...

    def open(self, key: str, start: int, end: int | None) -> Reader: ...

    def size_of(self, key: str) -> int | None: ...

    def delete(self, key: str) -> None: ...

    def clear_up(self, key: str) -> None: ...

    def listing(self, prefix: str = PREFIX) -> Iterator[StoredObject]: ...

    def signed_url(self, key: str, *, disposition: str, content_type: str) -> str | None: ...


def is_key(key: str) -> bool:
    """Tell whether a key has the shape of a generated one."""
    return _KEY.fullmatch(key) is not None


def anchor_key(seq: int, hash_: str) -> str:
    """Return the key of an anchor of the audit: it says by itself which event had which hash."""
    return f"{ANCHORS}{seq:020d}-{hash_}"


def read_anchor(key: str) -> tuple[int, str] | None:
    """Return number and hash of the event that an anchor tells of; None for any other key."""
    found = _ANCHOR.fullmatch(key)
    return (int(found[1]), found[2]) if found else None


def checked_key(key: str) -> str:
    """Return the key if it has the shape of one of ours; anything else, such as a path elsewhere, is refused."""
    if not is_key(key) and not read_anchor(key):
        raise StorageProblem("That is no key of storage")
    return key


class Proven:
    """Reads an object and gives its last chunk only when all bytes have the hash that they should have."""

    def __init__(self, reader: Reader, *, key: str, sha256: str) -> None:
        self._reader, self._key, self._sha256 = reader, key, sha256
        self._hash = hashlib.sha256()
        self._ahead: bytes | None = None

    def read(self, amount: int, /) -> bytes:
        chunk = self._fetch(amount) if self._ahead is None else self._ahead
        self._ahead = self._fetch(amount) if chunk else b""
        if chunk and not self._ahead and self._hash.hexdigest() != self._sha256:
            logger.error("Storage gave other bytes for %s than were put there", self._key)
            raise StorageProblem(f"reading {self._key}: the hash differs")
        return chunk

    def close(self) -> None:
        self._reader.close()

    def _fetch(self, amount: int) -> bytes:
        chunk = self._reader.read(amount)
        self._hash.update(chunk)
        return chunk
