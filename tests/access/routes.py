"""Every address that the resolver knows, the admin's included."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping

from django.urls import get_resolver
from django.urls.resolvers import URLPattern, URLResolver


@functools.cache
def all_routes() -> dict[str, str]:
    """Return the pattern of each route by its name, or by the pattern itself where it has none."""
    routes = list(_walk(get_resolver(), (), ""))
    assert len(dict(routes)) == len(routes), "two routes share a name"
    return dict(routes)


def _walk(resolver: URLResolver, namespaces: tuple[str, ...], prefix: str) -> Iterator[tuple[str, str]]:
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            inner = (*namespaces, pattern.namespace) if pattern.namespace else namespaces
            yield from _walk(pattern, inner, prefix + str(pattern.pattern))
        else:
            yield _name(pattern, namespaces, prefix), prefix + str(pattern.pattern)


def _name(pattern: URLPattern, namespaces: tuple[str, ...], prefix: str) -> str:
    return ":".join([*namespaces, pattern.name]) if pattern.name else prefix + str(pattern.pattern)


def fill(pattern: str, values: Mapping[str, object]) -> str:
    """Return the address of a pattern. Patterns that are regular expressions are looked up whole in `values`."""
    if "(?P<" in pattern:
        return str(values[pattern])
    return "/" + re.sub(r"<(?:\w+:)?(\w+)>", lambda match: str(values[match[1]]), pattern)
