"""Markdown from a model, as HTML that may stand in our pages. Everything in the text is taken to be hostile."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from types import MappingProxyType
from typing import Final

from django.utils.safestring import SafeString, mark_safe

from . import cmark
from .characters import show_controls, steady
from .limits import LINE_END, is_drawable
from .marking import marked
from .sanitising import safe_blocks

__all__ = ["Block", "render", "render_prompt", "render_snippet", "split_blocks"]

# A last line that starts like this starts a block, or goes on with one, whatever follows on it.
_SETTLED: Final = re.compile(r"(?:[-+*] |\d{1,9}[.)] )?(?:\*\*?|__?)?[^\W\d_]|#{1,6} |>")
_FENCE_AT_END: Final = re.compile(r"\n[ >]*(?:```+|~~~+)[ \t]*\s*\Z")


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of a text, drawn. `start` and `end` count its code points; `end` is where the next block starts."""

    start: int
    end: int
    html: SafeString


def render(text: str, files: Mapping[str, str] = MappingProxyType({})) -> SafeString:
    """Return the whole of `text` as a page load draws a finished answer.

    `files` has our addresses of files by their names, for links into the container that the model's code wrote them in.
    """
    text = steady(text)
    if is_drawable(text):
        (whole,) = safe_blocks([cmark.document(text)], files=files)
        if whole is not None:
            return mark_safe(whole)  # noqa: S308
    return _joined(_blocks(text, live=False))


def split_blocks(text: str) -> list[Block]:
    """Return the blocks of `text`, without gaps; all but the last are finished, the last is open.

    A finished block is a top-level block of cmark's parse that no later text can change, so a caller may keep it and
    split only `text[finished.end:]` from then on: the result is the same, but for a link whose reference is defined in
    another block. The open block holds the rest and may be several elements: a last line of which too little is known
    decides nothing, for the `#` under a paragraph may become a heading or more of the paragraph.

    Together the blocks are what `render` returns, but for such links and for code that still grows: it is not
    highlighted. What may not be drawn (see limits) is shown as plain text and stays open as a whole.
    """
    text = steady(text)
    complete = max(text.rfind("\n"), text.rfind("\r")) + 1
    if complete == len(text) or _SETTLED.match(text, complete) or not is_drawable(text):
        return _blocks(text, live=True)
    open_start = _starts(text[:complete])[-1] if complete else 0
    finished = _blocks(text[:open_start], live=False)
    return [*finished, Block(open_start, len(text), _joined(_blocks(text[open_start:], live=True)))]


def render_prompt(text: str) -> SafeString:
    """Return what a person wrote, as it was written: escaped, its line breaks kept, nothing drawn or linked."""
    return mark_safe(show_controls("<br>".join(LINE_END.split(escape(text)))))  # noqa: S308


def render_snippet(
    text: str, marks: Sequence[tuple[int, int]], *, is_cut_before: bool = False, is_cut_after: bool = False
) -> SafeString:
    """Return a piece of a text on one line, escaped, the stretches `marks` (in order and apart) in `<mark>`."""
    before, after = "… " if is_cut_before else "", " …" if is_cut_after else ""
    return mark_safe(marked(text, marks, before=before, after=after))  # noqa: S308


def _blocks(text: str, *, live: bool) -> list[Block]:
    """Return the blocks of `text`; `live` says that the last one may still grow."""
    if not text:
        return []
    if not is_drawable(text):
        return [Block(0, len(text), _plain(text))]
    placed = _placed(cmark.top_level_blocks(text), text)
    starts = [start for start, _ in placed]
    drawn = safe_blocks(
        [markup for _, markup in placed], live=live, growing=live and not _FENCE_AT_END.search(text, starts[-1])
    )
    return [
        Block(start, end, _plain(text[start:end]) if markup is None else mark_safe(markup))  # noqa: S308
        for start, end, markup in zip(starts, [*starts[1:], len(text)], drawn, strict=True)
    ]


def _starts(text: str) -> list[int]:
    """Return where the blocks of `text` start."""
    return [start for start, _ in _placed([(line, "") for line in cmark.start_lines(text)], text)]


def _placed(blocks: list[tuple[int, str]], text: str) -> list[tuple[int, str]]:
    """Return the blocks with offsets for lines; what stands before the first belongs to it.

    A block whose line cmark does not know is joined with the next one, one that starts where the last did with that.
    """
    line_starts = [0, *(end.end() for end in LINE_END.finditer(text))]
    placed: list[tuple[int, str]] = []
    pending = ""
    for line, markup in blocks:
        pending += markup
        start = line_starts[line - 1] if placed else 0
        if not line:
            continue
        if placed and start <= placed[-1][0]:
            placed[-1] = (placed[-1][0], placed[-1][1] + pending)
        else:
            placed.append((start, pending))
        pending = ""
    return placed or [(0, "")]


def _plain(text: str) -> SafeString:
    """Return `text` as it stands, for what may not be drawn."""
    lines = escape(LINE_END.sub("\n", text), quote=False)
    return mark_safe(f'<pre class="plain" tabindex="0">{show_controls(lines)}</pre>')  # noqa: S308


def _joined(blocks: Sequence[Block]) -> SafeString:
    return mark_safe("".join(block.html for block in blocks))  # noqa: S308
