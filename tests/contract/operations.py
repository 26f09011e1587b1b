"""Every operation of the API: its place in the OpenAPI document, its route, and what it takes."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import get_resolver
from django.urls.resolvers import URLPattern, URLResolver

from rest.schema.document import document
from rest.views import ResourceView

METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True)
class Operation:
    """One method of one address."""

    route: str
    pattern: str
    method: str
    view: type[ResourceView]
    told: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.method.upper()} /{self.pattern}"

    @property
    def name(self) -> str:
        return str(self.told["operationId"])

    @property
    def is_openai(self) -> bool:
        return self.pattern.startswith("v1/")

    @property
    def scope(self) -> str:
        return str(self.view().scope_of(self.method.upper()))

    @property
    def bodies(self) -> dict[str, Any]:
        """What it takes, by media type."""
        content: dict[str, Any] = self.told.get("requestBody", {}).get("content", {})
        return content

    @property
    def fields(self) -> dict[str, Any]:
        """The properties of its body."""
        schema = resolved(self.bodies["application/json"]["schema"])
        properties: dict[str, Any] = schema.get("properties", {})
        return properties

    @property
    def example(self) -> dict[str, Any]:
        """A body that can be used."""
        examples = self.bodies["application/json"].get("examples", {})
        return next(({**example["value"]} for example in examples.values()), {})

    @property
    def parameters(self) -> list[dict[str, Any]]:
        """What may stand behind the `?` of its address."""
        return [parameter for parameter in self.told.get("parameters", []) if parameter["in"] == "query"]

    @property
    def takes_json(self) -> bool:
        return "application/json" in self.bodies


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema with the one that it refers to in its place."""
    for inner in [schema, *schema.get("allOf", [])]:
        if "$ref" in inner:
            found: dict[str, Any] = document()["components"]["schemas"][inner["$ref"].rpartition("/")[2]]
            return found
    return schema


@functools.cache
def operations() -> tuple[Operation, ...]:
    """Return them all, those that the document leaves out among them."""
    told = {_shape(path): operations for path, operations in document()["paths"].items()}
    found = []
    for route, pattern, view in _views(get_resolver(), (), ""):
        for method in METHODS:
            if hasattr(view, method):
                operation = told.get(_shape(pattern), {}).get(method, {})
                found.append(Operation(route, pattern, method, view, operation))
    return tuple(found)


def documented() -> list[Operation]:
    """Return those of the document."""
    return [operation for operation in operations() if operation.told]


def _shape(path: str) -> str:
    return re.sub(r"<[^>]*>|\{[^}]*\}", "{}", path).strip("/")


def _views(
    resolver: URLResolver, namespaces: tuple[str, ...], prefix: str
) -> Iterator[tuple[str, str, type[ResourceView]]]:
    for pattern in resolver.url_patterns:
        whole = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _views(pattern, (*namespaces, pattern.namespace or ""), whole)
        elif isinstance(pattern, URLPattern) and issubclass(getattr(pattern.callback, "cls", object), ResourceView):
            view: Any = pattern.callback
            yield ":".join([*filter(None, namespaces), pattern.name or whole]), whole, view.cls


def as_json(value: Any) -> bytes:
    return json.dumps(value).encode()
