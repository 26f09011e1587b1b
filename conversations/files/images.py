"""Images drawn anew: for the model, which gets pixels and nothing else, and as thumbnails for pages."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from conversations.files import sandbox
from conversations.files.kinds import KINDS
from conversations.files.problems import FileProblem, Unfit
from conversations.files.sniffing import HEAD, sniff

_EXTENSIONS = {kind.label: extension for extension, kind in KINDS.items() if kind.category == "image"}
_SHOWABLE = frozenset({"image/jpeg", "image/png", "image/webp"})


def image_for_model(data: bytes | Path) -> tuple[str, bytes]:
    """Return type and bytes of an image as the model is shown it: JPEG or PNG, upright, at most 2048 pixels a side.

    What cameras note beside the pixels, the place among it, is gone. Raises FileProblem.
    """
    return _draw("for_model", data)


def thumbnail(data: bytes | Path) -> bytes:
    """Return an image as a WEBP of at most 480 pixels a side, upright and without metadata. Raises FileProblem."""
    return _draw("thumbnail", data)[1]


def _draw(operation: sandbox.Operation, data: bytes | Path) -> tuple[str, bytes]:
    with _opened(data) as file:
        extension = _EXTENSIONS.get(sniff(file.read(HEAD)))
        if extension is None:
            raise FileProblem("The file is not an image that can be shown.")
        try:
            body = sandbox.run(operation, extension, file).body
        except Unfit as problem:
            raise FileProblem(f"The image {problem}") from problem
    made = _EXTENSIONS.get(sniff(body[:HEAD]), "")
    if not made or KINDS[made].content_type not in _SHOWABLE:
        raise FileProblem(f"The image {sandbox.UNREADABLE}")
    return KINDS[made].content_type, body


@contextmanager
def _opened(data: bytes | Path) -> Iterator[BinaryIO]:
    if isinstance(data, Path):
        with data.open("rb") as file:
            yield file
    else:
        with tempfile.TemporaryFile() as copy:
            copy.write(data)
            copy.seek(0)
            yield copy
