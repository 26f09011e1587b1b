"""Markdown from a model, as HTML that may stand in our pages. Everything in the text is taken to be hostile."""

import re
from dataclasses import dataclass
from html import escape
from typing import Final

from django.utils.safestring import SafeString, mark_safe

from . import cmark
from .characters import show_controls, steady
from .limits import is_drawable
from .sanitising import safe_html

__all__ = ["Block", "render", "render_prompt", "split_blocks"]

_LINE_END: Final = re.compile(r"\r\n?|\n")  # as cmark counts lines; U+2028 ends none


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of a text, drawn. `start` and `end` count code points of the text; `end` is where the next block starts."""

    start: int
    end: int
    html: SafeString


def render(text: str) -> SafeString:
    """Return the whole of `text` as a page load draws a finished answer."""
    return mark_safe("".join(block.html for block in _blocks(steady(text), live=False)))  # noqa: S308


def split_blocks(text: str) -> list[Block]:
    """Return the blocks of `text`, without gaps; all but the last are finished, the last is open.

    A finished block is a top-level block of cmark's parse that no later text can change, so a caller may keep it and split
    only `text[finished.end:]` from then on: the result is the same, but for a link whose reference is defined in another
    block. The open block holds the rest and may be several elements: a last line without its line end decides nothing, for the
    `#` under a paragraph may become a heading or more of the paragraph. A long code block is not highlighted while it is open.
    """
    text = steady(text)
    complete = _complete_lines(text)
    if complete == len(text):
        return _blocks(text, live=True)
    starts = _starts(text[:complete]) if is_drawable(text) else []
    open_start = starts[-1] if starts else 0
    finished = _blocks(text[:open_start], live=False) if open_start else []
    rest = _blocks(text[open_start:], live=True)
    return [*finished, Block(open_start, len(text), mark_safe("".join(block.html for block in rest)))]  # noqa: S308


def render_prompt(text: str) -> SafeString:
    """Return what a person wrote as it was written: escaped, with its line breaks, nothing drawn and no address linked."""
    lines = escape(_LINE_END.sub("\n", text)).split("\n")
    return mark_safe(show_controls("<br>".join(lines)))  # noqa: S308


def _plain(text: str) -> str:
    return f'<pre class="plain" tabindex="0">{show_controls(escape(_LINE_END.sub("\n", text), quote=False))}</pre>'


def _complete_lines(text: str) -> int:
    """Return how many characters of `text` are lines with their line end."""
    return max(text.rfind("\n"), text.rfind("\r")) + 1


def _starts(text: str) -> list[int]:
    """Return where the top-level blocks of `text` start."""
    return [start for start, _ in _placed([(line, "") for line in cmark.start_lines(text)], text)]


def _blocks(text: str, *, live: bool) -> list[Block]:
    """Return the blocks of `text`; `live` says that the last one may still grow."""
    if not text:
        return []
    if not is_drawable(text):
        return [Block(0, len(text), mark_safe(_plain(text)))]  # noqa: S308
    placed = _placed(cmark.top_level_blocks(text), text)
    ends = [start for start, _ in placed[1:]] + [len(text)]
    return [
        Block(start, end, mark_safe(_drawn(markup, text[start:end], live=live and end == len(text))))  # noqa: S308
        for (start, markup), end in zip(placed, ends, strict=True)
    ]


def _drawn(markup: str, source: str, *, live: bool) -> str:
    drawn = safe_html(markup, live=live)
    return _plain(source) if drawn is None else drawn


def _placed(blocks: list[tuple[int, str]], text: str) -> list[tuple[int, str]]:
    """Return the blocks with offsets for lines; what stands before the first belongs to it.

    A block whose line cmark does not know, or which does not start on a line of its own, is joined with its neighbour.
    """
    line_starts = [0, *(end.end() for end in _LINE_END.finditer(text))]
    placed: list[tuple[int, str]] = []
    pending = ""
    for line, markup in blocks:
        start = line_starts[line - 1] if line else 0
        if not line:
            pending += markup
        elif placed and start <= placed[-1][0]:
            placed[-1] = (placed[-1][0], placed[-1][1] + pending + markup)
            pending = ""
        else:
            placed.append((start if placed else 0, pending + markup))
            pending = ""
    return placed or [(0, "")]
