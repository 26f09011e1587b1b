"""Code blocks: language, a place for the copy button, and highlighting by classes (static/css/code.css has the colours)."""

import re
import time
from html import escape
from typing import Final

from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.token import Comment, Generic, Keyword, Literal, Name, Operator, String, _TokenType

from .limits import MAX_HIGHLIGHTED, MAX_HIGHLIGHTED_LIVE, MAX_HIGHLIGHT_SECONDS

_LANGUAGE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9+#._-]{0,23}")
# A closed list: Pygments looks an unknown name up among all installed packages, which costs milliseconds, and its rarer lexers
# are where slow regular expressions have been found.
_LANGUAGES: Final = frozenset(
    """bash c c# c++ clojure cmake console cpp cs csharp css dart diff docker dockerfile elixir erlang fortran go golang graphql
    groovy haskell hs html ini java javascript js json jsx julia kotlin kt latex lua make makefile matlab nginx objective-c
    ocaml pascal patch perl php powershell properties ps1 py pycon python python3 r rb rs ruby rust scala scss sh shell sql
    swift terraform tex toml ts tsx typescript vb.net vim xml yaml yml zsh""".split()
)
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
_class_of: dict[_TokenType, str] = {}
_lexers: dict[str, Lexer] = {}


def figure(language: str, code: str, *, live: bool) -> str:
    """Return the HTML of one code block. `language` is the word after the fence, `code` the plain text; both are hostile.

    `live` says that the block may still grow and will be drawn again: then only a short one is highlighted.
    """
    label = language if _LANGUAGE.fullmatch(language) else ""
    known = label.lower() if label.lower() in _LANGUAGES else ""
    limit = MAX_HIGHLIGHTED_LIVE if live else MAX_HIGHLIGHTED
    body = _highlighted(known, code) if known and len(code) <= limit else escape(code, quote=False)
    class_attribute = f' class="language-{escape(known)}"' if known else ""
    return (
        f'<figure class="code"><figcaption><span class="code-language">{escape(label)}</span>'
        '<button type="button" class="code-copy" data-copy>Copy</button></figcaption>'
        f'<pre tabindex="0"><code{class_attribute}>{body}</code></pre></figure>'
    )


def _highlighted(language: str, code: str) -> str:
    """Return `code` escaped, its tokens in spans; plain when the lexer takes too long, as some do on text made to slow them."""
    lexer = _lexers.get(language)
    if lexer is None:
        lexer = _lexers[language] = get_lexer_by_name(language, stripnl=False, ensurenl=False)
    deadline = time.thread_time() + MAX_HIGHLIGHT_SECONDS
    runs: list[tuple[str, list[str]]] = []
    for kind, value in lexer.get_tokens(code):
        name = _token_class(kind)
        if runs and (runs[-1][0] == name or value.isspace()):
            runs[-1][1].append(value)
            continue
        if time.thread_time() > deadline:
            return escape(code, quote=False)
        runs.append((name, [value]))
    return "".join(_span(name, "".join(values)) for name, values in runs)


def _span(name: str, text: str) -> str:
    escaped = escape(text, quote=False)
    return f'<span class="hl-{name}">{escaped}</span>' if name else escaped


def _token_class(kind: _TokenType) -> str:
    name = _class_of.get(kind)
    if name is None:
        name = _class_of[kind] = next((short for parent, short in _CLASSES if kind in parent), "")
    return name
