"""The one function that judges a file, whether a person uploads it or the model made it."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from conversations.files import sandbox
from conversations.files.kinds import TAKEN, extension_of, kind_of
from conversations.files.names import clean_name, shown
from conversations.files.problems import FileProblem, Unfit

UNKNOWN_TYPE = "application/octet-stream"


@dataclass(frozen=True)
class FileFacts:
    """What was found out about a file."""

    name: str  # cleaned
    content_type: str
    size: int  # bytes
    sha256: str  # in hex
    width: int | None  # pixels, of an image, as it is shown
    height: int | None


def inspect_file(path: Path, *, name: str, max_bytes: int, lenient: bool = False) -> FileFacts:
    """Return what a file is, once its extension, its first bytes and the parser of its kind agree.

    `name` is what its sender calls it. Raises FileProblem otherwise. `lenient` is for files that the model made: those
    of other kinds, or that disagree, are kept under a type that nobody opens; only empty and too large ones raise.
    """
    name = clean_name(name)
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        _check_size(name, size, max_bytes)
        content_type = UNKNOWN_TYPE
        pixels: tuple[int | None, int | None] = (None, None)
        try:
            content_type, pixels = _recognise(file, name)
        except Unfit as problem:
            if not lenient:
                raise FileProblem(f"{shown(name)} {problem}") from problem
        file.seek(0)
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return FileFacts(name, content_type, size, sha256, *pixels)


def _check_size(name: str, size: int, max_bytes: int) -> None:
    if size == 0:
        raise FileProblem(f"{shown(name)} is empty.")
    if size > max_bytes:
        raise FileProblem(f"{shown(name)} is larger than {max_bytes / 1e6:,.4g} MB, the most that a file may have.")


def _recognise(file: BinaryIO, name: str) -> tuple[str, tuple[int | None, int | None]]:
    """Return the type and, of an image, width and height. Raises Unfit."""
    kind = kind_of(name)
    if kind is None:
        raise Unfit(f"is of a type that cannot be attached. What can: {TAKEN}.")
    facts = sandbox.run("inspect", extension_of(name), file).facts
    if kind.category != "image":
        return kind.content_type, (None, None)
    width, height = facts.get("width"), facts.get("height")
    if not isinstance(width, int) or not isinstance(height, int) or not 0 < width * height < 10**9:
        raise Unfit(sandbox.UNREADABLE)
    return kind.content_type, (width, height)
