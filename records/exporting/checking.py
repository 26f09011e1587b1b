"""Whether an export that somebody has on disk is still what its manifest says. Needs no database and no storage."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from records.exporting.manifest import FORMAT

_CHUNK = 1024 * 1024


class NoManifest(Exception):
    """The file is no manifest that can be read; the text says why."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part as the manifest names it."""

    name: str
    size: int
    sha256: str


def read_manifest(file: Path) -> list[Part]:
    """Return the parts that a manifest names. Raises NoManifest."""
    try:
        told = json.loads(file.read_bytes())
    except OSError as error:
        raise NoManifest(f"{file} cannot be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise NoManifest(f"{file} is no JSON.") from error
    if not isinstance(told, dict) or told.get("format") != FORMAT or not isinstance(told.get("parts"), list):
        raise NoManifest(f"{file} is no manifest of format {FORMAT}.")
    return [_part(one, file) for one in told["parts"]]


def check(manifest: Path) -> Iterator[str]:
    """Yield a sentence for each part that is missing or is not what it was, and for each file that is not named.

    The parts lie beside the manifest, files in `files/`. Raises NoManifest.
    """
    parts = read_manifest(manifest)
    folder = manifest.parent
    for part in parts:
        yield from _compare(folder / part.name, part)
    named = {part.name for part in parts} | {manifest.name}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and name not in named:
            yield f"{name} is not in the manifest."


def _compare(path: Path, part: Part) -> Iterator[str]:
    sha256, size = hashlib.sha256(), 0
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                sha256.update(chunk)
                size += len(chunk)
    except OSError as error:
        yield f"{part.name} cannot be read: {error.strerror}."
        return
    if size != part.size:
        yield f"{part.name} has {size:,} bytes, and had {part.size:,}."
    elif sha256.hexdigest() != part.sha256:
        yield f"{part.name} holds other bytes than it did."


def _part(told: Any, file: Path) -> Part:
    match told:
        case {"name": str(name), "size": int(size), "sha256": str(sha256)}:
            pieces = Path(name).parts
            if name and not Path(name).is_absolute() and ".." not in pieces:
                return Part(name, size, sha256)
    raise NoManifest(f"{file} names a part that cannot be one.")
