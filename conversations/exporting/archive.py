"""A ZIP of conversations: the table, the lines, the transcripts, the files, and a manifest that tells their hashes."""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import tempfile
import zipfile
from collections.abc import Generator, Iterator
from itertools import groupby
from typing import IO

from conversations.exporting.csv import csv_pieces
from conversations.exporting.jsonl import jsonl_pieces, line
from conversations.exporting.markdown import transcript
from conversations.exporting.names import path_of_file, safe_stem
from conversations.exporting.rows import Chosen, read_files, read_turns
from conversations.files import storage
from conversations.files.objects import Reader
from conversations.models import Attachment

logger = logging.getLogger(__name__)

FORMAT = 1  # of the manifest
PIECE = 16 * 1024  # bytes that are given on together
COPY = 256 * 1024
# In a row: then storage is away, and an archive without its files must not look whole.
MAX_UNREADABLE = 3
# How much longer text can become in JSON, where a control character takes six; for telling which entries may pass 2 GB.
_GROWTH = 8
_HAS_WORDS = ("text/", "application/json")  # is worth deflating; pictures, PDF and Office files are small already

PROBLEMS = "file-problems.txt"
_OTHER_BYTES = "Storage holds other bytes than were put there."


def zip_pieces(chosen: Chosen) -> Generator[bytes, None, None]:
    """Yield an archive of all that the other exports hold, with the files.

    A file that storage does not hold as the record says is left out, and the manifest says so with the reason. Raises
    StorageProblem where storage fails in the middle of a file, or again and again, and NotWhole as `read_turns` does.
    """
    with contextlib.closing(_Archive(chosen)) as archive:
        yield from archive.pieces()


class _Sink:
    """What zipfile writes to. It cannot be sought in, so each entry's size and hash follow it."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self.size = 0

    def write(self, data: bytes) -> int:
        self._parts.append(bytes(data))
        self.size += len(data)
        return len(data)

    def flush(self) -> None: ...

    def close(self) -> None: ...

    def take(self) -> bytes:
        """Return what was written since the last time."""
        data = b"".join(self._parts)
        self._parts, self.size = [], 0
        return data


class _Notes:
    """Lines of the manifest, on disk until it is written."""

    def __init__(self) -> None:
        self._file: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=1_000_000)  # noqa: SIM115 (closed by close)
        self.count = 0

    def add(self, **facts: object) -> None:
        self._file.write((b",\n    " if self.count else b"\n    ") + line(facts).rstrip("\n").encode())
        self.count += 1

    def pieces(self) -> Iterator[bytes]:
        self._file.seek(0)
        while piece := self._file.read(COPY):
            yield piece

    def close(self) -> None:
        self._file.close()


class _Archive:
    def __init__(self, chosen: Chosen) -> None:
        self._chosen = chosen
        self._sink = _Sink()
        self._zip = zipfile.ZipFile(self._sink, "w")
        self._entries, self._conversations, self._files = _Notes(), _Notes(), _Notes()
        self._problems: list[str] = []
        self._unreadable = 0
        local = chosen.chosen_at
        self._date = (local.year, local.month, local.day, local.hour, local.minute, local.second)

    def close(self) -> None:
        for notes in (self._entries, self._conversations, self._files):
            notes.close()

    def pieces(self) -> Iterator[bytes]:
        chosen = self._chosen
        most = chosen.octets * _GROWTH
        yield from self._entry("messages.csv", csv_pieces(chosen), most=most)
        yield from self._entry("messages.jsonl", jsonl_pieces(chosen), most=most)
        yield from self._transcripts()
        yield from self._all_files()
        if self._problems:
            yield from self._entry(PROBLEMS, iter(["".join(self._problems).encode()]))
        yield from self._entry("manifest.json", self._manifest(), is_noted=False)
        self._zip.close()
        yield self._sink.take()

    def _entry(
        self, path: str, pieces: Iterator[bytes], *, most: int = 0, level: int | None = None, is_noted: bool = True
    ) -> Generator[bytes, None, str]:
        """Write an entry of at most so many bytes, and yield of the archive what is ready; return the entry's hash."""
        info = zipfile.ZipInfo(path, self._date)
        info.compress_type = zipfile.ZIP_DEFLATED
        info.external_attr = 0o600 << 16
        info._compresslevel = level  # type: ignore[attr-defined]  # public from Python 3.13 on, under another name
        sha256, size = hashlib.sha256(), 0
        with self._zip.open(info, "w", force_zip64=most > zipfile.ZIP64_LIMIT) as entry:
            for piece in pieces:
                entry.write(piece)
                sha256.update(piece)
                size += len(piece)
                yield self._ready()
        if is_noted:
            self._entries.add(path=path, size=size, sha256=sha256.hexdigest())
        yield self._ready()
        return sha256.hexdigest()

    def _ready(self) -> bytes:
        """Return what is worth giving on. It may be nothing: a step has an end, however well words are deflated."""
        return self._sink.take() if self._sink.size > PIECE else b""

    def _transcripts(self) -> Iterator[bytes]:
        chosen = self._chosen
        turns = read_turns(chosen, shown_only=True)
        for number, (outline, said) in enumerate(groupby(turns, key=lambda turn: turn.outline), start=1):
            conversation = outline.conversation
            path = f"transcripts/{number:04} {safe_stem(conversation.title)}.md"
            text = transcript(chosen, outline, said, address=lambda file: f"../{path_of_file(file)}")
            yield from self._entry(path, text, most=sum(outline.octets.values()) * _GROWTH)
            self._conversations.add(id=conversation.pk, title=conversation.title, transcript=path)

    def _all_files(self) -> Iterator[bytes]:
        written: dict[str, tuple[str | None, str]] = {}
        for file in read_files(self._chosen):
            path = path_of_file(file)
            if file.state != Attachment.State.READY:
                found, problem = None, file.failure or "It was still on its way into storage."
            elif path in written:  # rows of an edited or continued message share an object
                found, problem = written[path]
            else:
                found, problem = written[path] = yield from self._file(file, path)
            self._files.add(
                attachment_id=file.pk,
                message_id=file.message_id,
                conversation_id=file.message.conversation_id if file.message else None,
                name=file.name,
                content_type=file.content_type,
                size=file.size,
                sha256=file.sha256 or None,
                address=file.address if file.state == Attachment.State.READY else None,
                path=found,
                problem=problem or None,
            )
            if problem:
                self._problems.append(f"{file.name}: {problem}\n")

    def _file(self, file: Attachment, path: str) -> Generator[bytes, None, tuple[str | None, str]]:
        """Write a file; return its path, or None where it is left out, and what is wrong with it."""
        reader, problem = self._open(file)
        if reader is None:
            return None, problem
        level = None if file.content_type.startswith(_HAS_WORDS) else 0
        with contextlib.closing(reader):
            pieces = iter(lambda: reader.read(COPY), b"")
            sha256 = yield from self._entry(path, pieces, most=2 * (file.size or 0), level=level)
        if sha256 == file.sha256:
            return path, ""
        logger.error("File %s has other bytes in storage than on record", file.pk)
        return path, f"{_OTHER_BYTES} The archive holds them as they are."

    def _open(self, file: Attachment) -> tuple[Reader | None, str]:
        """Return a file that storage holds in its full length, or why there is none. Leaves it to the end to be sure.

        What has begun to leave cannot be taken back, so all that can be known is asked before.
        """
        try:
            size = storage.size_of(file.key)
            if size == file.size:
                reader = storage.open_reader(file.key)
                self._unreadable = 0
                return reader, ""
        except storage.ObjectMissing:
            size = None
        except storage.StorageProblem as problem:
            self._unreadable += 1
            logger.warning("File %s could not be read for an export: %s", file.pk, problem)
            if self._unreadable == MAX_UNREADABLE:
                raise
            return None, "Storage could not be read."
        self._unreadable = 0
        how = "missing" if size is None else f"{size} bytes"
        logger.error("File %s is %s in storage; on record it has %s bytes.", file.pk, how, file.size)
        return None, "It is missing in storage." if size is None else _OTHER_BYTES

    def _manifest(self) -> Iterator[bytes]:
        chosen = self._chosen
        head = {
            "format": FORMAT,
            "exported_at": chosen.chosen_at.isoformat(),
            "exported_by": chosen.person.get_username(),
            "is_complete": not self._problems,
        }
        yield json.dumps(head, ensure_ascii=False, indent=2).removesuffix("\n}").encode()
        for name, notes in (
            ("conversations", self._conversations),
            ("entries", self._entries),
            ("files", self._files),
        ):
            yield f',\n  "{name}": ['.encode()
            yield from notes.pieces()
            yield b"\n  ]" if notes.count else b"]"
        yield b"\n}\n"
