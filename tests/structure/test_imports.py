"""Imports point one way, and what is dangerous or foreign has one home."""

from __future__ import annotations

import ast

import pytest

from tests.structure.source import Module, modules, within

# Each part of `conversations`, and the parts that it may import besides itself.
_LEAVES = {"ids", "text", "outages", "lexemes", "amounts", "periods", "rendering", "files", "llm"}
_CORE = _LEAVES | {"models"}
_SHOWN = _CORE | {"usage", "presentation", "search", "history", "spending", "charts", "retirement", "availability"}
_ENTRY = _SHOWN | {"services", "live"}
MAY_IMPORT: dict[str, set[str]] = {
    "ids": set(),
    "text": set(),
    "outages": set(),
    "lexemes": set(),
    "amounts": set(),
    "periods": set(),
    "rendering": {"text"},
    "files": {"text", "ids"},
    "llm": {"text"},
    "models": _LEAVES - {"llm"},
    "usage": _CORE,
    "retirement": _CORE,
    "availability": _CORE | {"retirement"},
    "charts": set(),
    "spending": _CORE | {"usage", "charts"},
    "presentation": _CORE | {"usage"},
    "search": _CORE,
    "history": _CORE,
    "exporting": _CORE | {"usage"},
    "templatetags": _SHOWN,
    "services": _CORE,
    "live": _SHOWN | {"services", "exporting"},
    "forms": _CORE | {"services", "history"},
    "views": _ENTRY | {"forms", "exporting"},
    "api": _ENTRY | {"forms"},
    "admin": _ENTRY,
    "tasks": _CORE | {"services", "live"},
    "management": _ENTRY,
    "urls": {"views", "api", "live"},
    "apps": set(),
}


def part(name: str) -> str:
    """Return the part of `conversations` that a module belongs to."""
    return name.split(".")[1] if "." in name else ""


def ours(module: Module, package: str) -> list[tuple[str, int]]:
    return [(name, line) for name, line in module.imports if name == package or name.startswith(f"{package}.")]


def test_every_part_of_conversations_has_its_place() -> None:
    assert {part(module.name) for module in within("conversations")} - {""} <= set(MAY_IMPORT)


@pytest.mark.parametrize("importer", sorted({part(module.name) for module in within("conversations")} - {""}))
def test_imports_point_one_way(importer: str) -> None:
    allowed = MAY_IMPORT.get(importer, set()) | {importer}
    wrong = [
        f"{module.path}:{line} imports {name}"
        for module in within(f"conversations.{importer}")
        for name, line in ours(module, "conversations")
        if part(name) not in allowed
    ]
    assert wrong == []


APPS = {
    "audit": {"accounts"},
    "accounts": {"audit"},
    "rest": {"accounts", "audit"},
    "conversations": {"accounts", "audit", "rest"},
    "batches": {"accounts", "audit", "rest", "conversations"},
    "webhooks": {"accounts", "audit", "rest", "conversations"},
    "records": {"accounts", "audit", "rest", "conversations", "batches", "webhooks"},
}
"""Each app, and the apps that it may import. `audit` names the user's class, for types alone."""


@pytest.mark.parametrize("app", APPS)
def test_apps_import_one_way(app: str) -> None:
    wrong = [
        f"{module.path}:{line} imports {name}"
        for module in within(app)
        for other in APPS.keys() - APPS[app] - {app}
        for name, line in ours(module, other)
    ]
    assert wrong == []


def test_nobody_imports_chatapp() -> None:
    allowed = ("chatapp", "tests", "bench", "manage", "gunicorn")  # whatever starts the application
    wrong = [
        f"{module.path}:{line}"
        for module in modules()
        if module.name.split(".")[0] not in allowed
        for _, line in ours(module, "chatapp")
    ]
    assert wrong == []


def test_the_launcher_and_the_settings_import_no_app() -> None:
    for module in within("chatapp"):
        for app in APPS:
            names = [name for name, _ in ours(module, app)]
            assert names == [] or module.name == "chatapp.urls", module.path


def test_production_never_imports_tests() -> None:
    for module in within("accounts", "audit", "batches", "chatapp", "conversations", "records", "rest", "webhooks"):
        assert ours(module, "tests") + ours(module, "bench") == [], module.path


HOMES = {
    "openai": ("conversations.llm", "bench"),
    "boto3": (),
    "botocore": ("conversations.files.s3", "chatapp.settings"),
    "cmarkgfm": ("conversations.rendering",),
    "nh3": ("conversations.rendering",),
    "httpx": (),
    "httpx2": ("conversations.llm", "bench"),
    "aiohttp": ("conversations.llm", "webhooks.live", "bench"),
    "requests": ("examples",),
    "jwt": ("accounts.company.issuer",),
    "pickle": (),
    "marshal": (),
    "shelve": (),
}


@pytest.mark.parametrize("library", HOMES)
def test_what_comes_from_outside_has_one_home(library: str) -> None:
    wrong = [
        f"{module.path}:{line}"
        for module in modules()
        if module.name.split(".")[0] != "tests" and not module.name.startswith(HOMES[library] or ("-",))
        for _, line in ours(module, library)
    ]
    assert wrong == []


def test_the_seam_to_the_model_knows_no_table_and_one_kind_of_setting() -> None:
    for module in within("conversations.llm"):
        names = {name for name, _ in module.imports}
        assert not [name for name in names if name.startswith("django.db")], module.path


ASYNC = (
    "audit.acting",
    "batches.live",
    "batches.tasks",
    "conversations.api.live",
    "conversations.api.openai.live",
    "conversations.live",
    "conversations.llm",
    "conversations.tasks",
    "conversations.views.health",
    "conversations.files.streaming",
    "records.live",
    "records.tasks",
    "rest.middleware",
    "rest.tasks",
    "rest.threads",
    "rest.views.live",
    "webhooks.live",
    "webhooks.tasks",
)


def test_async_code_stays_where_it_is_meant_to_be() -> None:
    wrong = [
        f"{module.path}:{node.lineno}"
        for module in within("accounts", "audit", "batches", "conversations", "records", "rest", "webhooks")
        if not module.name.startswith(ASYNC)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.AsyncFunctionDef | ast.Await)
    ]
    assert wrong == []
