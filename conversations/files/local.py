"""Files in a folder of this machine, as FileSystemStorage is configured: for trying out, with one machine."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from django.core.files.storage import FileSystemStorage

from conversations.files.objects import CHUNK, PREFIX, ObjectMissing, Reader, StorageProblem, StoredObject, checked_key


class LocalFiles:
    """Objects as files. A file appears under its key when it is whole and on disk, or not at all."""

    bucket = ""

    def __init__(self, storage: FileSystemStorage) -> None:
        self._storage = storage

    def write(self, key: str, file: BinaryIO, *, content_type: str) -> None:
        """Write a file; one that is there already stays, and StorageProblem is raised. The type is not kept."""
        path = self._path(key)
        part = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
        with _telling("writing", key):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            try:
                with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as target:
                    shutil.copyfileobj(file, target, CHUNK)
                    target.flush()
                    os.fsync(target.fileno())
                path.hardlink_to(part)  # unlike renaming, it never replaces
            finally:
                part.unlink(missing_ok=True)
            _make_durable(path.parent)

    def open(self, key: str, start: int, end: int | None) -> Reader:
        """Open a file from byte `start` up to, not including, `end`."""
        with _telling("reading", key):
            file = self._path(key).open("rb", buffering=0)
            file.seek(start)
        return _Section(file, key, None if end is None else max(0, end - start))

    def size_of(self, key: str) -> int | None:
        """Return the size of a file; None when there is none."""
        try:
            with _telling("asking for", key):
                return self._path(key).stat().st_size
        except ObjectMissing:
            return None

    def delete(self, key: str) -> None:
        """Delete a file; a missing one is fine."""
        with _telling("deleting", key):
            self._path(key).unlink(missing_ok=True)

    def clear_up(self, key: str) -> None:
        """Remove files of this key that were never whole."""
        path = self._path(key)
        with _telling("deleting", key):
            for part in path.parent.glob(f"{path.name}.*.part"):
                part.unlink(missing_ok=True)

    def listing(self, prefix: str = PREFIX) -> Iterator[StoredObject]:
        """Yield every file, and what a process that was killed in the middle of writing left."""
        root = Path(self._storage.location)
        with _telling("listing", prefix):
            for folder, _, names in (root / prefix).walk(on_error=_raise_unless_missing):
                for path in (folder / name for name in sorted(names)):
                    with contextlib.suppress(FileNotFoundError):  # deleted meanwhile
                        found = path.stat()
                        modified_at = datetime.fromtimestamp(found.st_mtime, UTC)
                        yield StoredObject(path.relative_to(root).as_posix(), found.st_size, modified_at)

    def signed_url(self, key: str, *, disposition: str, content_type: str) -> None:
        """Return None: only this application reads its folder."""

    def _path(self, key: str) -> Path:
        return Path(self._storage.path(checked_key(key)))


class _Section:
    """A part of a file, to its end where `left` is None."""

    def __init__(self, file: BinaryIO, key: str, left: int | None) -> None:
        self._file, self._key, self._left = file, key, left

    def read(self, amount: int, /) -> bytes:
        with _telling("reading", self._key):
            chunk = self._file.read(amount if self._left is None else min(amount, self._left))
        if self._left is not None:
            self._left -= len(chunk)
        return chunk

    def close(self) -> None:
        self._file.close()


@contextmanager
def _telling(what: str, key: str) -> Iterator[None]:
    """Turn the operating system's errors into ours; they hold paths, which nobody else is told."""
    try:
        yield
    except FileNotFoundError as error:
        raise ObjectMissing(f"{what} {key}: there is none") from error
    except OSError as error:
        raise StorageProblem(f"{what} {key}: {type(error).__name__}") from error


def _raise_unless_missing(error: OSError) -> None:
    """Let a folder that cannot be read be told; one that is not there holds no files."""
    if not isinstance(error, FileNotFoundError):
        raise error


def _make_durable(folder: Path) -> None:
    """Have the folder's entry on disk: a file that is reported as stored survives a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
