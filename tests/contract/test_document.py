"""The OpenAPI document is valid, whole, and without a word of warning."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from rest.schema.document import TAGS, VERSION, document
from tests.contract.operations import documented, operations
from tests.factories import make_user
from tests.structure.source import ROOT


def test_the_document_is_valid_and_written_without_a_warning() -> None:
    written = io.StringIO()
    call_command("spectacular", validate=True, fail_on_warn=True, format="openapi-json", stdout=written)
    assert '"openapi": "3.1' in written.getvalue()


def test_every_handler_is_in_the_document_under_a_stable_name() -> None:
    hidden = [str(operation) for operation in operations() if not operation.told]
    assert hidden == ["GET /api/schema/"]
    names = [operation.name for operation in documented()]
    assert len(names) == len(set(names))
    assert [name for name in names if not re.fullmatch(r"[a-z]+(_[a-z]+)*", name)] == []


def test_every_operation_has_an_example_of_what_it_takes_and_of_what_it_answers() -> None:
    without = []
    for operation in documented():
        for kind, content in operation.bodies.items():
            if kind == "application/json" and operation.fields and "examples" not in content:
                without.append(f"{operation}: request")
        for status, answer in operation.told["responses"].items():
            content = answer.get("content", {}).get("application/json")
            if "206" in operation.told["responses"]:
                continue  # bytes of a file
            if status.startswith("2") and content is not None and "examples" not in content:
                without.append(f"{operation}: {status}")
    assert without == []


def test_every_operation_says_in_a_few_words_what_it_does_and_which_scope_it_needs() -> None:
    for operation in documented():
        assert operation.told["summary"], operation
        assert {"token": [operation.scope]} in operation.told["security"], operation
        assert operation.told["tags"][0] in TAGS, operation


def test_every_field_of_the_document_is_of_a_known_type() -> None:
    untyped = [
        f"{name}.{field}"
        for name, schema in document()["components"]["schemas"].items()
        for field, inner in schema.get("properties", {}).items()
        if not {"type", "$ref", "allOf", "oneOf", "anyOf", "enum"} & inner.keys()
    ]
    assert untyped == []


def test_the_changelog_tells_of_this_version() -> None:
    changes = (ROOT / "docs" / "api-changelog.md").read_text(encoding="utf-8")
    assert re.search(rf"^## {re.escape(VERSION)}\b", changes, flags=re.MULTILINE)


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/api/schema/", "/api/docs/", "/api/docs/redoc/"])
def test_r9_the_contract_is_shown_to_whoever_may_use_the_api_and_to_nobody_else(address: str) -> None:
    stranger = Client().get(address)
    assert stranger.status_code == (401 if address == "/api/schema/" else 302)
    person = Client()
    person.force_login(make_user())
    response = person.get(address)
    assert response.status_code == 200
    assert _elsewhere(response.content.decode()) == []


def _elsewhere(text: str) -> list[Any]:
    return [found for found in re.findall(r"(?:src|href)=\"(https?:)?//[^\"]+", text) if found]
