"""From cmark's HTML to HTML of ours: an allow-list first, then the markup that only we may add."""

import re
from html import unescape
from typing import Final

import nh3

from . import code
from .characters import show_controls
from .limits import is_sanitisable
from .links import images_as_text, links_with_hosts

_ALIGNED: Final = {"align": {"left", "right", "center"}}
_CLEANER: Final = nh3.Cleaner(
    tags=set(
        "a blockquote br code del em h1 h2 h3 h4 h5 h6 hr li ol p pre span strong table tbody td th thead tr ul".split()
    ),
    clean_content_tags={"script", "style"},
    attributes={"a": {"href"}, "ol": {"start"}, "pre": {"lang"}},
    tag_attribute_values={"td": _ALIGNED, "th": _ALIGNED},
    allowed_classes={"p": {"raw-html"}, "span": {"task"}},
    url_schemes={"http", "https", "mailto"},
    url_relative="deny",
    link_rel=None,
)
_TASKS: Final = (
    ('<input type="checkbox" checked="" disabled="" />', '<span class="task">\N{BALLOT BOX WITH CHECK}</span>'),
    ('<input type="checkbox" disabled="" />', '<span class="task">\N{BALLOT BOX}</span>'),
)
_CODE: Final = re.compile(r'<pre(?: lang="([^"]*)")?><code>(.*?)</code></pre>', re.DOTALL)
_TABLE: Final = '<div class="table-scroll" tabindex="0" role="region" aria-label="Table"><table>'


def safe_html(markup: str, *, live: bool) -> str | None:
    """Return cmark's `markup` sanitised and finished, or None when it is too large or too deep to sanitise.

    What is added after the allow-list is ours, around parts that are escaped again: code, links, hosts, table frames. The patterns
    match no text, since in sanitised HTML a `<` is always a tag's.
    """
    if not is_sanitisable(markup):
        return None
    if "<input " in markup:
        for box, sign in _TASKS:
            markup = markup.replace(box, sign)
    clean = links_with_hosts(_CLEANER.clean(images_as_text(markup)))
    if "<table>" in clean:
        clean = clean.replace("<table>", _TABLE).replace("</table>", "</table></div>")
    if "<pre" in clean:
        clean = _CODE.sub(lambda block: code.figure(unescape(block[1] or ""), unescape(block[2]), live=live), clean)
    return show_controls(clean)
