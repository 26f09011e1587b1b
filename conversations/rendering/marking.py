"""Pieces of text with words marked, for hits of a search."""

import re
from collections.abc import Sequence
from html import escape
from typing import Final

from .characters import show_controls

_WHITE: Final = re.compile(r"\s+")


def marked(text: str, marks: Sequence[tuple[int, int]], *, before: str = "", after: str = "") -> str:
    """Return HTML of a text in which some stretches, in order and apart, are marked; white space becomes one blank."""
    parts, at = [before], 0
    for start, end in marks:
        parts += [_escaped(text[at:start]), "<mark>", _escaped(text[start:end]), "</mark>"]
        at = end
    return "".join([*parts, _escaped(text[at:]), after])


def _escaped(text: str) -> str:
    return show_controls(escape(_WHITE.sub(" ", text)))
