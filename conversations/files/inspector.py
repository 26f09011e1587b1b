"""The other process: reads a stranger's file from standard input and says what it is. Knows nothing of Django.

python -m conversations.files.inspector OPERATION EXTENSION < FILE

Prints one line of JSON, either facts or {"unfit": "…"}, and after it the image that it made, where it was to make one,
or the text that it read.
Each kind's parser is imported when it is needed: that is most of the
time that a small file takes.
"""

import json
import os
import resource
import signal
import sys
from dataclasses import dataclass
from typing import BinaryIO

from conversations.files.kinds import KINDS, Category
from conversations.files.problems import Unfit
from conversations.files.sandbox import TOO_MUCH, UNREADABLE, WALL_SECONDS

_MEGABYTE = 1024 * 1024


@dataclass(frozen=True)
class Limits:
    """What one run may take."""

    cpu_seconds: int
    memory: int  # bytes of address space


# Pixels are held whole, and JSON as objects; the parts of Office files pass by in small pieces.
INSPECTING: dict[Category, Limits] = {
    "image": Limits(3, 384 * _MEGABYTE),
    "pdf": Limits(3, 256 * _MEGABYTE),
    "office": Limits(3, 192 * _MEGABYTE),
    "text": Limits(3, 384 * _MEGABYTE),
}
REDRAWING = Limits(10, 512 * _MEGABYTE)  # of what was inspected before
READING = Limits(12, 512 * _MEGABYTE)  # the same; nobody waits for it


def main() -> None:
    """Read, judge and print. The limits stand before the first byte is read."""
    operation, extension = sys.argv[1:]
    match operation:
        case "inspect":
            limit_resources(INSPECTING[KINDS[extension].category])
        case "text":
            os.nice(10)
            limit_resources(READING)
        case _:
            limit_resources(REDRAWING)
    file, output = sys.stdin.buffer, sys.stdout.buffer
    facts: dict[str, int | str] = {}
    body = b""
    try:
        if operation == "inspect":
            facts = inspect(extension, file)
        elif operation == "text":
            body = _text(extension, file)
        else:
            body = redraw(operation, extension, file)
    except Unfit as problem:
        facts = {"unfit": str(problem)}
    except (MemoryError, RecursionError) as problem:
        facts = {"unfit": TOO_MUCH, "cause": type(problem).__name__}
    except Exception as problem:  # noqa: BLE001  # whatever a parser raises, the file cannot be read
        facts = {"unfit": UNREADABLE, "cause": type(problem).__name__}
    output.write(json.dumps(facts).encode() + b"\n" + body)


def inspect(extension: str, file: BinaryIO) -> dict[str, int | str]:
    """Have the parser of the kind read the file. Raises Unfit where it is not what its extension says."""
    kind = KINDS[extension]
    match kind.category:
        case "image":
            from conversations.files import raster

            width, height = raster.inspect(file, kind)
            return {"width": width, "height": height}
        case "pdf":
            from conversations.files import pdf

            pdf.inspect(file)
        case "office":
            from conversations.files import office

            office.inspect(file, kind)
        case "text":
            from conversations.files import plain

            plain.inspect(file, kind)
    return {}


def redraw(operation: str, extension: str, file: BinaryIO) -> bytes:
    """Make an image for the model, or a thumbnail."""
    from conversations.files import raster

    draw = raster.thumbnail if operation == "thumbnail" else raster.for_model
    return draw(file, KINDS[extension])


def _text(extension: str, file: BinaryIO) -> bytes:
    """Return the text in a file, for search."""
    from conversations.files import texts

    return texts.read_text(extension, file).encode(errors="replace")


def limit_resources(limits: Limits) -> None:
    """Give up what reading one file does not need. A hard limit that is lower already stays."""
    signal.alarm(WALL_SECONDS)  # should the parent be gone, which would have ended this process
    for what, value in (
        (resource.RLIMIT_AS, limits.memory),
        (resource.RLIMIT_CPU, limits.cpu_seconds),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, 32),
        (resource.RLIMIT_NPROC, 0),  # no further process or thread (Linux does not hold root to it)
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(what)[1]
        limit = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(what, (limit, limit))


if __name__ == "__main__":
    main()
