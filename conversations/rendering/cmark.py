"""GitHub's cmark, called through the C library that the cmarkgfm wheel carries.

cmarkgfm's own Python functions never free the tree and the HTML they make: 127 KB stay behind for each render of a
2 KB answer, which a server that redraws answers ten times a second cannot afford. Nor can they walk a tree. The library
exports cmark's whole C interface, so it is called here by ctypes.

`PyDLL` keeps the interpreter lock during a call, on purpose: the special characters of the extensions are process-wide
tables in cmark, switched on and off by each parse; two threads in the parser would lose each other's `~~` and links.
"""

import ctypes
import html
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from cmarkgfm import _cmark

_library: Final = ctypes.PyDLL(_cmark.__file__)
_pointer, _int, _bytes = ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p


class _Memory(ctypes.Structure):
    _fields_ = [("calloc", _pointer), ("realloc", _pointer), ("free", ctypes.PYFUNCTYPE(None, _pointer))]


def _function(name: str, result: Any, *arguments: Any) -> Any:
    function = getattr(_library, name)
    function.restype, function.argtypes = result, arguments
    return function


_parser_new = _function("cmark_parser_new", _pointer, _int)
_parser_attach = _function("cmark_parser_attach_syntax_extension", _int, _pointer, _pointer)
_parser_extensions = _function("cmark_parser_get_syntax_extensions", _pointer, _pointer)
_parser_feed = _function("cmark_parser_feed", None, _pointer, _bytes, ctypes.c_size_t)
_parser_finish = _function("cmark_parser_finish", _pointer, _pointer)
_parser_free = _function("cmark_parser_free", None, _pointer)
_render_html = _function("cmark_render_html", _pointer, _pointer, _int, _pointer)
_node_new = _function("cmark_node_new", _pointer, _int)
_node_free = _function("cmark_node_free", None, _pointer)
_node_first_child = _function("cmark_node_first_child", _pointer, _pointer)
_node_next = _function("cmark_node_next", _pointer, _pointer)
_node_type = _function("cmark_node_get_type", _int, _pointer)
_node_start_line = _function("cmark_node_get_start_line", _int, _pointer)
_node_literal = _function("cmark_node_get_literal", _bytes, _pointer)
_node_set_literal = _function("cmark_node_set_literal", _int, _pointer, _bytes)
_node_set_on_enter = _function("cmark_node_set_on_enter", _int, _pointer, _bytes)
_node_replace = _function("cmark_node_replace", _int, _pointer, _pointer)
_iterator_new = _function("cmark_iter_new", _pointer, _pointer)
_iterator_next = _function("cmark_iter_next", _int, _pointer)
_iterator_node = _function("cmark_iter_get_node", _pointer, _pointer)
_iterator_free = _function("cmark_iter_free", None, _pointer)
_find_extension = _function("cmark_find_syntax_extension", _pointer, _bytes)
_free = _function("cmark_get_default_mem_allocator", ctypes.POINTER(_Memory))().contents.free

# cmark-gfm.h: block types carry 0x8000, inline types 0xC000.
_HTML_BLOCK, _CUSTOM_BLOCK = 0x8006, 0x8007
_TEXT, _HTML_INLINE = 0xC001, 0xC005
_DONE = 1
_BREAKS: Final = (b"<br>", b"<br/>", b"<br />")
# What cmark writes for raw HTML that is still in the tree: here, a `<br>`. A table's cell may hold no other line break.
_OMITTED: Final = "<!-- raw HTML omitted -->"
# `<pre lang="python">` rather than a class: no class in cmark's output then comes from the text.
_OPTIONS: Final = _cmark.lib.CMARK_OPT_GITHUB_PRE_LANG

_function("cmark_gfm_core_extensions_ensure_registered", None)()
_EXTENSIONS: Final = tuple(_find_extension(name) for name in (b"table", b"strikethrough", b"autolink", b"tasklist"))


def document(text: str) -> str:
    """Parse `text` and return cmark's HTML, not yet sanitised, except that raw HTML in the text is shown as text.

    Only `<br>` breaks the line, as models write it in tables, which have no other way to.
    """
    with _parsed(text) as (root, extensions):
        if "<" in text:
            _show_raw_html(root)
        return _html_of(root, extensions)


def top_level_blocks(text: str) -> list[tuple[int, str]]:
    """Parse `text` and return its top-level blocks as (first line, counted from 1; HTML as of `document`), in order.

    A line of 0 means that cmark has lost the block's place: it does so for the paragraph in front of a table that
    follows it without a blank line, whose line it gives to the table.
    """
    with _parsed(text) as (root, extensions):
        lines = [_node_start_line(node) for node in _children(root)]
        if "<" in text:
            _show_raw_html(root)
        return [(line, _html_of(node, extensions)) for line, node in zip(lines, _children(root), strict=True)]


def start_lines(text: str) -> list[int]:
    """Return the first lines of the top-level blocks of `text`, as `top_level_blocks` does, without drawing them."""
    with _parsed(text) as (root, _):
        return [_node_start_line(node) for node in _children(root)]


def _children(root: Any) -> Iterator[Any]:
    node = _node_first_child(root)
    while node:
        yield node
        node = _node_next(node)


@contextmanager
def _parsed(text: str) -> Iterator[tuple[Any, Any]]:
    """Give the root node and the list of extensions; both are gone afterwards."""
    source = text.encode("utf-8", "replace")
    parser = _parser_new(_OPTIONS)
    try:
        for extension in _EXTENSIONS:
            _parser_attach(parser, extension)
        _parser_feed(parser, source, len(source))
        root = _parser_finish(parser)
        try:
            yield root, _parser_extensions(parser)
        finally:
            _node_free(root)
    finally:
        _parser_free(parser)


def _html_of(node: Any, extensions: Any) -> str:
    buffer = _render_html(node, _OPTIONS, extensions)
    try:
        return ctypes.string_at(buffer).decode("utf-8", "replace").replace(_OMITTED, "<br />")
    finally:
        _free(buffer)


def _show_raw_html(root: Any) -> None:
    """Put text in the place of each piece of raw HTML; cmark lets a leaf be replaced while its parent is walked."""
    iterator = _iterator_new(root)
    try:
        while _iterator_next(iterator) != _DONE:
            node = _iterator_node(iterator)
            kind = _node_type(node)
            if kind == _HTML_BLOCK or (kind == _HTML_INLINE and _node_literal(node) not in _BREAKS):
                shown = _shown(kind, _node_literal(node))
                _node_free(node if _node_replace(node, shown) else shown)
    finally:
        _iterator_free(iterator)


def _shown(kind: int, literal: bytes) -> Any:
    if kind == _HTML_INLINE:
        text = _node_new(_TEXT)
        _node_set_literal(text, literal)
        return text
    block = _node_new(_CUSTOM_BLOCK)
    markup = html.escape(literal.decode("utf-8", "replace").rstrip("\r\n"))
    _node_set_on_enter(block, f'<p class="raw-html">{markup}</p>'.encode())
    return block
