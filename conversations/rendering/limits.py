"""What may be drawn as Markdown; beyond it the text is shown escaped, so that no answer can hold up a page.

cmark itself is nearly linear on all known bad inputs; what follows it is not. Measured on one shared core:

- 10,000 nested quotes: 4 ms in cmark, 260 ms in the sanitiser, because HTML's parsing rules search the open elements;
- 1,000 lines of 99 list markers each: 450 ms in cmark;
- a table of 5,000 columns, or with 5,000 rows too short for it: 5 MB of empty cells, 300 ms and 400 ms.
"""

import re
from typing import Final

MAX_TEXT: Final = 400_000  # characters
MAX_HTML: Final = 1_500_000  # characters
MAX_NESTING: Final = 30
MAX_COLUMNS: Final = 100
MAX_CELLS: Final = 100_000
MAX_HIGHLIGHTED: Final = 40_000  # characters
MAX_HIGHLIGHTED_LIVE: Final = 8_000  # characters
MAX_HIGHLIGHT_SECONDS: Final = 0.1  # of this thread's processor time

LINE_END: Final = re.compile(r"\r\n?|\n")  # as cmark counts lines; U+2028 ends none

# It begins with a character, not with the start of a line: searching is five times as fast.
_MANY_MARKERS: Final = re.compile(
    rf"(?:>|[-+*.)][ \t])(?:[ \t]*(?:>|(?:[-+*]|\d{{1,9}}[.)])(?=[ \t]))){{{MAX_NESTING - 1}}}[^\r\n]*"
)
_RULE: Final = re.compile(r"(?:-[ \t]*)+|(?:\*[ \t]*)+")
_NESTABLE: Final = ("<blockquote>", "<li>", "<em>", "<strong>", "<del>", "<a ")
_TAG: Final = re.compile(r"<(/?)(?:blockquote|li|em|strong|del|a)[ >]")


def is_drawable(text: str) -> bool:
    """Tell whether `text` may be given to cmark."""
    return len(text) <= MAX_TEXT and not _has_wide_table(text) and not _is_deep(text)


def _has_wide_table(text: str) -> bool:
    if text.count("|") < MAX_COLUMNS:
        return False
    lines = LINE_END.split(text)
    columns = max(line.count("|") for line in lines)
    return columns > MAX_COLUMNS or columns * len(lines) > MAX_CELLS


def _is_deep(text: str) -> bool:
    return any(not _RULE.fullmatch(markers[0].strip()) for markers in _MANY_MARKERS.finditer(text))


def is_sanitisable(markup: str) -> bool:
    """Tell whether cmark's `markup` may be given to the sanitiser."""
    if len(markup) > MAX_HTML:
        return False
    if sum(map(markup.count, _NESTABLE)) <= MAX_NESTING:
        return True
    depth = deepest = 0
    for tag in _TAG.finditer(markup):
        depth += -1 if tag[1] else 1
        deepest = max(deepest, depth)
    return deepest <= MAX_NESTING
