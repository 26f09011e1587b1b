"""docs/audit.md names every kind of event that the application writes, and what people are told of."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from tests.structure.source import ROOT, within

_WRITERS = {"record", "record_soon", "record_later", "note", "_note", "_tell", "tell"}
_KIND = re.compile(r"[a-z]+\.[a-z_]+")


def _written() -> Iterator[str]:
    for module in within("accounts", "audit", "conversations", "records"):
        for call in ast.walk(module.tree):
            if not isinstance(call, ast.Call):
                continue
            name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
            given = [*call.args[:2], *(keyword.value for keyword in call.keywords if keyword.arg == "kind")]
            for value in given if name in _WRITERS else ():
                if isinstance(value, ast.Constant) and _KIND.fullmatch(str(value.value)):
                    yield str(value.value)


def _table() -> dict[str, str]:
    rows = re.findall(r"^\| (`[a-z`., _]+)(●?) ?\|", (ROOT / "docs/audit.md").read_text(), flags=re.MULTILINE)
    return {kind: mark for kinds, mark in rows for kind in re.findall(r"`([a-z]+\.[a-z_]+)`", kinds)}


@pytest.mark.django_db
def test_every_kind_that_is_written_has_its_line() -> None:
    from django.contrib import admin

    from records.admin.read import ReadAdmin

    readers = [model_admin for model_admin in admin.site._registry.values() if isinstance(model_admin, ReadAdmin)]
    kinds = set(_written()) | {f"{reader.noun}.read" for reader in readers}
    kinds |= {f"{reader.noun}.listed" for reader in readers if reader.lists_text}
    assert len(kinds) > 15
    assert sorted(kinds - set(_table())) == []


def test_what_people_are_told_of_is_marked() -> None:
    from records.readings import DEEDS

    assert {kind for kind, mark in _table().items() if mark} == set(DEEDS)
