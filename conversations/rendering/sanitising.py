"""From cmark's HTML to HTML of ours: an allow-list first, then the markup that only we may add."""

import re
from collections.abc import Mapping, Sequence
from html import unescape
from types import MappingProxyType
from typing import Final

import nh3

from . import code
from .characters import show_controls
from .limits import is_sanitisable
from .links import images_as_text, links_with_hosts

_ALIGNED: Final = {"align": {"left", "right", "center"}}
_TAGS: Final = "a blockquote br code del em h1 h2 h3 h4 h5 h6 hr li ol p pre span strong table tbody td th thead tr ul"
_CLEANER: Final = nh3.Cleaner(
    tags=set(_TAGS.split(" ")),
    clean_content_tags={"script", "style"},
    attributes={"a": {"href"}, "ol": {"start"}, "pre": {"lang"}},
    tag_attribute_values={"td": _ALIGNED, "th": _ALIGNED},
    allowed_classes={"p": {"raw-html"}, "span": {"task"}},
    url_schemes={"http", "https", "mailto", "sandbox"},  # the last never leaves `links_with_hosts`
    url_relative="deny",
    link_rel=None,
)
_TASKS: Final = (
    ('<input type="checkbox" checked="" disabled="" />', '<span class="task">\N{BALLOT BOX WITH CHECK}</span>'),
    ('<input type="checkbox" disabled="" />', '<span class="task">\N{BALLOT BOX}</span>'),
)
_CODE: Final = re.compile(r'<pre(?: lang="([^"]*)")?><code>(.*?)</code></pre>', re.DOTALL)
_NOTHING_MORE: Final = re.compile(r"(?:\s|</[a-z]+>)*\Z")
_TABLE: Final = '<div class="table-scroll" tabindex="0" role="region" aria-label="Table"><table>'
# Between blocks that are sanitised together, which costs a third of doing it one by one. A text may hold this
# noncharacter too: then the pieces are too many, and each block is sanitised by itself.
_SEAM: Final = "\ufdd0"
_NO_FILES: Final[Mapping[str, str]] = MappingProxyType({})


def safe_blocks(
    blocks: Sequence[str], *, live: bool = False, growing: bool = False, files: Mapping[str, str] = _NO_FILES
) -> list[str | None]:
    """Return cmark's `blocks` sanitised and finished; None for one that is too large or too deep to be sanitised.

    `live` says that the last of them will be drawn again, `growing` that the code it may end with is not yet complete.
    `files` has the addresses of files by the names that links to the provider's container give them.
    """
    whole = _SEAM.join(blocks)
    if is_sanitisable(whole):
        pieces = _safe(whole, live=live, growing=growing, files=files).split(_SEAM)
        if len(pieces) == len(blocks):
            return list(pieces)
    last = len(blocks) - 1
    return [
        _safe(block, live=live and index == last, growing=growing, files=files) if is_sanitisable(block) else None
        for index, block in enumerate(blocks)
    ]


def _safe(markup: str, *, live: bool, growing: bool, files: Mapping[str, str]) -> str:
    """Sanitise, then add what is ours around parts that are escaped again: code, links, hosts, frames of tables.

    The patterns match no text, since in sanitised HTML a `<` is always a tag's.
    """
    if "<input " in markup:
        for box, sign in _TASKS:
            markup = markup.replace(box, sign)
    clean = links_with_hosts(_CLEANER.clean(images_as_text(markup)), files)
    if "<table>" in clean:
        clean = clean.replace("<table>", _TABLE).replace("</table>", "</table></div>")
    if "<pre" in clean:
        clean = _with_code(clean, live=live, growing=growing)
    return show_controls(clean)


def _with_code(clean: str, *, live: bool, growing: bool) -> str:
    live_from = clean.rfind(_SEAM) + 1 if live else len(clean)

    def drawn(block: re.Match[str]) -> str:
        is_live = block.start() >= live_from
        is_growing = is_live and growing and _NOTHING_MORE.match(clean, block.end()) is not None
        return code.figure(unescape(block[1] or ""), unescape(block[2]), live=is_live, growing=is_growing)

    return _CODE.sub(drawn, clean)
