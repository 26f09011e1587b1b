"""What may be drawn as Markdown; beyond it the text is shown escaped, so that no answer can hold up a page.

cmark itself is linear on all known bad inputs; what follows it is not. Measured on one shared core: 10,000 nested quotes take
cmark 4 ms and the sanitiser 260 ms, because HTML's parsing rules search the open elements; a table of 5,000 columns or with 5,000
short rows grows to 5 MB of empty cells, 300 ms in cmark and 400 ms in the sanitiser.
"""

import re
from typing import Final

MAX_TEXT: Final = 400_000  # characters
MAX_HTML: Final = 1_500_000  # characters
MAX_NESTING: Final = 100
MAX_COLUMNS: Final = 100
MAX_HIGHLIGHTED: Final = 40_000  # characters
MAX_HIGHLIGHTED_LIVE: Final = 2_000  # characters
MAX_HIGHLIGHT_SECONDS: Final = 0.15  # of this thread's processor time

_NESTED_IN_ONE_LINE: Final = re.compile(rf"(?:(?:>|[-+*]|\d{{1,9}}[.)])[ \t]*){{{MAX_NESTING}}}")
_MANY_COLUMNS: Final = re.compile(rf"(?:[^|\n\r]*\|){{{MAX_COLUMNS}}}")
_NESTABLE: Final = ("<blockquote>", "<li>", "<em>", "<strong>", "<del>", "<a ")
_TAG: Final = re.compile(r"<(/?)(?:blockquote|li|em|strong|del|a)[ >]")


def is_drawable(text: str) -> bool:
    """Tell whether `text` may be given to cmark."""
    return (
        len(text) <= MAX_TEXT
        and not (text.count("|") >= MAX_COLUMNS and _MANY_COLUMNS.search(text))
        and not _NESTED_IN_ONE_LINE.search(text)
    )


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
