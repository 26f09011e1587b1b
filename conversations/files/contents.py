"""What can be read in a file, for search."""

from __future__ import annotations

from typing import BinaryIO

from conversations.files import sandbox
from conversations.files.kinds import extension_of, kind_of
from conversations.files.problems import FileProblem, Unfit
from conversations.files.texts import MAX_CHARACTERS
from conversations.text import clean_text


def text_of(file: BinaryIO, *, name: str, content_type: str) -> str:
    """Return the text in a file that was taken under this name and type, cleaned; "" where there is none to be read.

    That is so for images, for files that are not what their name says, and for those that no parser gets through within
    its limits. Raises FileProblem where none could be started just now: it may be tried again.
    """
    kind = kind_of(name)
    if kind is None or kind.category == "image" or kind.content_type != content_type:
        return ""
    try:
        body = sandbox.run("text", extension_of(name), file).body
    except Unfit as problem:
        if str(problem) == sandbox.BUSY:
            raise FileProblem(f"The file {problem}") from problem
        return ""
    return clean_text(body.decode(errors="replace").strip())[:MAX_CHARACTERS]
