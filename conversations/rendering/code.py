"""Code blocks: language, a place for the copy button, and highlighting by classes (colours: static/css/code.css)."""

import re
import time
from functools import cache, lru_cache
from html import escape
from typing import Final

from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.token import Comment, Generic, Keyword, Literal, Name, Operator, String, _TokenType

from .limits import MAX_HIGHLIGHT_SECONDS, MAX_HIGHLIGHTED, MAX_HIGHLIGHTED_LIVE

_LABEL: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9+#._-]{0,23}")
# A closed list: Pygments looks an unknown name up among all installed packages, which costs milliseconds, and its rarer
# lexers are where slow regular expressions have been found.
_NAMES: Final = (
    "bash c c# c++ clojure cmake console cpp cs csharp css dart diff docker dockerfile elixir erlang fortran go golang",
    "graphql groovy haskell hs html ini java javascript js json jsx julia kotlin latex lua make makefile matlab nginx",
    "objective-c ocaml pascal perl php powershell properties ps1 py pycon python python3 r rb ruby rs rust scala scss",
    "sh shell sql swift terraform tex toml ts tsx typescript vb.net vim xml yaml zsh",
)
_LANGUAGES: Final = frozenset(name for line in _NAMES for name in line.split())
# Within one token no clock can be read, and some lexers try each start with each end: 8,000 spaces take the one for C++
# 5 s, a line of 8,000 signs others 0.5 s. Such code is not coloured.
_SLOW: Final = re.compile(r"\s{100}|[^\n]{1000}")
_CLASSES: Final[tuple[tuple[_TokenType, str], ...]] = (
    (Comment, "c"),
    (Keyword, "k"),
    (Operator.Word, "k"),
    (String, "s"),
    (Literal.Number, "m"),
    (Name.Function, "f"),
    (Name.Class, "f"),
    (Name.Builtin, "b"),
    (Name.Exception, "b"),
    (Name.Tag, "k"),
    (Name.Attribute, "a"),
    (Name.Decorator, "a"),
    (Name.Variable, "v"),
    (Name.Constant, "v"),
    (Generic.Deleted, "d"),
    (Generic.Inserted, "i"),
    (Generic.Heading, "k"),
    (Generic.Subheading, "k"),
    (Generic.Prompt, "c"),
)


def figure(language: str, code: str, *, live: bool, growing: bool) -> str:
    """Return the HTML of one code block from the word after its fence and its plain text, both hostile.

    `live`: the block stands in a piece of text that will be drawn again; what is highlighted then is remembered, or
    left plain when too long. `growing`: the code itself still grows, and highlighting it anew each time would cost
    1 ms for each 1,000 characters, ten times a second: it is plain until it is finished.
    """
    label = language if _LABEL.fullmatch(language) else ""
    known = label.lower() if label.lower() in _LANGUAGES else ""
    limit = MAX_HIGHLIGHTED_LIVE if live else MAX_HIGHLIGHTED
    if not known or growing or len(code) > limit or _SLOW.search(code):
        body = escape(code, quote=False)
    elif len(code) <= MAX_HIGHLIGHTED_LIVE:
        body = _remembered(known, code)
    else:
        body = _highlighted(known, code)
    class_attribute = f' class="language-{escape(known)}"' if known else ""
    return (
        f'<figure class="code"><figcaption><span class="code-language">{escape(label)}</span>'
        '<button type="button" class="code-copy" data-copy>Copy</button></figcaption>'
        f'<pre tabindex="0"><code{class_attribute}>{body}</code></pre></figure>'
    )


def _highlighted(language: str, code: str) -> str:
    """Return `code` escaped, tokens in spans; plain when the lexer is slow, as some are on text made to slow them."""
    deadline = time.thread_time() + MAX_HIGHLIGHT_SECONDS
    runs: list[tuple[str, list[str]]] = []
    for kind, value in _lexer(language).get_tokens(code):
        name = _token_class(kind)
        if runs and (runs[-1][0] == name or value.isspace()):
            runs[-1][1].append(value)
        else:
            runs.append((name, [value]))
        if time.thread_time() > deadline:
            return escape(code, quote=False)
    return "".join(_span(name, "".join(values)) for name, values in runs)


_remembered: Final = lru_cache(maxsize=256)(_highlighted)  # 12 MB at most


@cache
def _lexer(language: str) -> Lexer:
    return get_lexer_by_name(language, stripnl=False, ensurenl=False)


@cache
def _token_class(kind: _TokenType) -> str:
    return next((name for parent, name in _CLASSES if kind in parent), "")


def _span(name: str, text: str) -> str:
    escaped = escape(text, quote=False)
    return f'<span class="hl-{name}">{escaped}</span>' if name else escaped
