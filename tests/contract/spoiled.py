"""Requests that cannot be used, made from what the document says of an operation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.contract.operations import Operation, as_json, resolved

_VALUES: dict[str, Any] = {
    "string": "x", "integer": 7, "number": 1.5, "boolean": True, "array": [], "object": {}, "null": None,
}  # fmt: skip
_UNUSABLE = {
    "integer": ("", "x", "1.5", "99999999999999999999999", "-1"),
    "number": ("x",),
    "boolean": ("", "perhaps"),
    "uuid": ("", "x", "1"),
    "date": ("yesterday", "2026-02-30"),
    "date-time": ("", "yesterday", "2026-02-30T00:00:00Z"),
    "enum": ("", "nonsense"),
}


def bodies(operation: Operation) -> Iterator[tuple[str, bytes]]:
    """Yield bodies of JSON that no reading of the document allows, with what is wrong with each."""
    good = operation.example
    first = next(iter(operation.fields), "x")
    yield "no JSON", b'{"x": '
    yield "a list", as_json([good])
    yield "a text", as_json("x")
    yield "no UTF-8", b'{"x": "\xff"}'
    yield "half of a character", rb'{"x": "\ud800"}'
    yield "NaN", b'{"%s": NaN}' % first.encode()
    yield "an endless number", b'{"x": ' + b"9" * 5000 + b"}"
    yield "a key twice", b'{"%s": null, "%s": null}' % (first.encode(), first.encode())
    yield "deep", b'{"x": ' + b'{"x": ' * 40 + b"1" + b"}" * 41
    yield "very deep", b'{"x": ' + b"[" * 100_000
    yield "huge", as_json({"x": "x" * 17_000_000})
    if not _takes_anything(operation):
        yield "an unknown field", as_json(good | {"is_staff": True})
    for name, schema in operation.fields.items():
        for kind in wrong_types(schema):
            yield f"{name} is {kind}", as_json(good | {name: _VALUES[kind]})


def with_nulls(operation: Operation) -> Iterator[tuple[str, bytes]]:
    """Yield bodies with U+0000 in one of their texts, and where it stands. Some texts are cleaned, and accepted."""
    good = operation.example
    texts = {name: "x" for name, schema in operation.fields.items() if "string" in _types(schema)}
    for where, body in _null_in({**texts, **good}, ""):
        name = where.partition(".")[0].partition("[")[0]
        needed = {key: value for key, value in body.items() if key in good or key == name}
        yield f"U+0000 in {where}", as_json(needed)


def _null_in(value: Any, where: str) -> Iterator[tuple[str, Any]]:
    """Yield a value as often as there are texts in it, each time with U+0000 in another one."""
    match value:
        case str():
            yield where, f"{value}\0"
        case list():
            for number, inner in enumerate(value):
                for place, spoiled in _null_in(inner, f"{where}[{number}]"):
                    yield place, [*value[:number], spoiled, *value[number + 1 :]]
        case dict():
            for name, inner in value.items():
                for place, spoiled in _null_in(inner, f"{where}.{name}" if where else name):
                    yield place, value | {name: spoiled}


def _takes_anything(operation: Operation) -> bool:
    return bool(resolved(operation.bodies["application/json"]["schema"]).get("additionalProperties"))


def wrong_types(schema: dict[str, Any]) -> list[str]:
    """Return the JSON types that a schema does not allow."""
    allowed = _types(schema)
    allowed |= {"integer"} if "number" in allowed else set()
    return sorted(_VALUES.keys() - allowed) if allowed else []


def _types(schema: dict[str, Any]) -> set[str]:
    choices = schema.get("oneOf") or schema.get("anyOf")
    if choices:
        return {kind for inner in choices for kind in _types(inner)}
    schema = resolved(schema)
    kinds = schema.get("type", "string" if "enum" in schema else [])
    return {kinds} if isinstance(kinds, str) else set(kinds)


def queries(operation: Operation) -> Iterator[tuple[str, str]]:
    """Yield what must not stand behind the `?`, with what is wrong with it."""
    yield "an unknown parameter", "is_staff=true"
    for parameter in operation.parameters:
        name, schema = parameter["name"], parameter["schema"]
        kinds = _types(schema)
        kind = "enum" if "enum" in resolved(schema) else schema.get("format", next(iter(kinds), ""))
        for value in _UNUSABLE.get(kind, ()):
            if not (kind == "integer" and value == "-1" and "minimum" not in schema):
                yield f"{name} is {value}", f"{name}={value}"
        yield f"{name} twice", f"{name}=1&{name}=2"
