"""An independent look at markup: what elements and attributes a parser finds in it, and whether they are ours."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Final

_VOID: Final = {"br", "hr"}
_PLAIN: Final = (
    *("blockquote", "br", "del", "em", "figure", "figcaption", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "li", "p"),
    *("strong", "table", "tbody", "thead", "tr", "ul"),
)
_WEB: Final = re.compile(r"(?:https?://[^/?#@]+(?:[/?#].*)?|mailto:.+)", re.DOTALL)
_ALLOWED: Final[dict[str, dict[str, str]]] = {
    **{tag: {} for tag in _PLAIN},
    "a": {"href": _WEB.pattern, "rel": "noopener noreferrer nofollow", "target": "_blank"},
    "button": {"type": "button", "class": "code-copy", "data-copy": ""},
    "code": {"class": r"language-[a-z0-9+#.-]+"},
    "div": {"class": "table-scroll", "tabindex": "0", "role": "region", "aria-label": "Table"},
    "figure": {"class": "code"},
    "ol": {"start": r"\d+"},
    "p": {"class": "raw-html"},
    "pre": {"class": "plain", "tabindex": "0"},
    "span": {"class": r"code-language|link-host|task|hl-[a-z]"},
    "td": {"align": "left|center|right"},
    "th": {"align": "left|center|right"},
}


@dataclass
class Element:
    tag: str
    attributes: dict[str, str]
    text: str = ""


@dataclass
class Dom(HTMLParser):
    """The elements of `markup` in order, each with all the text in it."""

    markup: str
    elements: list[Element] = field(default_factory=list)
    text: str = ""
    problems: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._open: list[Element] = []
        self.feed(self.markup)
        self.close()
        self.problems += [f"<{element.tag}> is never closed" for element in self._open]

    def all(self, tag: str) -> list[Element]:
        return [element for element in self.elements if element.tag == tag]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.elements.append(element)
        self._check(element)
        if tag not in _VOID:
            self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop().tag != tag:
            self.problems.append(f"</{tag}> closes nothing")

    def handle_data(self, data: str) -> None:
        self.text += data
        for element in self._open:
            element.text += data

    def handle_comment(self, data: str) -> None:
        self.problems.append(f"a comment: {data}")

    def handle_decl(self, decl: str) -> None:
        self.problems.append(f"a declaration: {decl}")

    def unknown_decl(self, data: str) -> None:
        self.problems.append(f"a marked section: {data}")

    def handle_pi(self, data: str) -> None:
        self.problems.append(f"an instruction: {data}")

    def _check(self, element: Element) -> None:
        allowed = _ALLOWED.get(element.tag)
        if allowed is None:
            self.problems.append(f"an element: {element.tag}")
            return
        for name, value in element.attributes.items():
            if name not in allowed or not re.fullmatch(allowed[name], value, re.DOTALL):
                self.problems.append(f"an attribute: {element.tag} {name}={value!r}")
