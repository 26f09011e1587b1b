"""Habits that would open a hole are not in the code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tests.structure.source import ROOT, Module, files, within

PRODUCTION = within("accounts", "audit", "batches", "chatapp", "conversations", "records", "rest", "webhooks")
# What a request reaches.
DOORS = [
    module
    for module in within(
        "batches.live.results",
        "batches.results",
        "batches.views",
        "conversations.api",
        "conversations.views",
        "conversations.history",
        "conversations.live.stream",
        "conversations.live.download",
        "conversations.live.exports",
        "conversations.exporting",
        "conversations.search",
        "conversations.spending",
    )
    if module.name != "conversations.api.live.waiting"  # it is told by its callers whether they may go on
]
OWNED = {
    "Assistant", "Attachment", "Batch", "Conversation", "Feedback", "Generation", "Message", "SealedDocument",
    "UsageDay",
}  # fmt: skip

# Where a string may be declared safe, because it was sanitised or drawn by a template.
TRUSTED = {"conversations/rendering/__init__.py", "conversations/live/markup.py"}
EMPTY_OR_JOINED = {"conversations/presentation.py", "conversations/templatetags/pages.py"}


def places(tree_of: Module, kind: type[ast.AST]) -> Iterator[ast.AST]:
    return (node for node in ast.walk(tree_of.tree) if isinstance(node, kind))


def chain(node: ast.AST) -> list[str]:
    """Return the names of `a.b(…).c` as a, b, c."""
    names: list[str] = []
    while True:
        match node:
            case ast.Attribute():
                names.append(node.attr)
                node = node.value
            case ast.Call():
                node = node.func
            case ast.Name():
                return [node.id, *names][:1] + names[::-1]
            case _:
                return names[::-1]


def test_rows_with_an_owner_are_reached_through_visible_to_alone() -> None:
    wrong = []
    for module in DOORS:
        for node in places(module, ast.Attribute):
            assert isinstance(node, ast.Attribute)
            names = chain(node)
            if (
                len(names) > 2
                and names[0] in OWNED
                and names[1] == "objects"
                and names[2] not in ("visible_to", "kept_by", "restorable_by", "reviewable_by", "listed_to", "none")
            ):
                wrong.append(f"{module.path}:{node.lineno} {'.'.join(names)}")
    assert wrong == []


def test_no_request_is_unpacked_into_a_query() -> None:
    wrong = [
        f"{module.path}:{node.lineno}"
        for module in PRODUCTION
        for node in places(module, ast.Call)
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg is None
        and any(isinstance(name, ast.Name) and name.id == "request" for name in ast.walk(keyword))
    ]
    assert wrong == []


def test_no_query_is_written_with_values_in_it() -> None:
    wrong = []
    for module in within("accounts", "audit", "batches", "conversations", "records", "rest", "webhooks"):
        for node in places(module, ast.Call):
            assert isinstance(node, ast.Call)
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in ("execute", "raw", "RawSQL", "extra") and node.args and not is_constant(node.args[0]):
                wrong.append(f"{module.path}:{node.lineno}")
    assert wrong == []


def is_constant(node: ast.AST) -> bool:
    """Whether a statement is a literal, or a name in capitals that holds one."""
    return isinstance(node, ast.Constant) or (isinstance(node, ast.Name) and node.id.isupper())


def test_text_is_declared_safe_in_few_named_places() -> None:
    found = {
        module.path
        for module in PRODUCTION
        for node in places(module, ast.Name)
        if isinstance(node, ast.Name) and node.id in ("mark_safe", "SafeString", "SafeText", "html_safe")
        if any(isinstance(call, ast.Call) and call.func is node for call in places(module, ast.Call))
    }
    assert found <= TRUSTED | EMPTY_OR_JOINED


def test_templates_escape_everything_and_hold_no_script_or_style() -> None:
    for file in files("templates/*"):
        text = file.read_text(encoding="utf-8")
        path = file.relative_to(ROOT)
        assert not re.search(r"\|\s*(safe|safeseq)\b|\{%\s*autoescape\s+off", text), path
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style\b|\sstyle=|\son[a-z]+=|javascript:", text), path
        assert not re.search(r"\bhx-on\b|\bhx-on:|\bjs:", text), path


def test_forms_of_templates_carry_the_token() -> None:
    for file in files("templates/*"):
        text = file.read_text(encoding="utf-8")
        for form in re.findall(r"<form\b.*?</form>", text, flags=re.DOTALL):
            if re.search(r'method="post"', form, flags=re.IGNORECASE):
                assert "csrf_token" in form, file.relative_to(ROOT)


def test_pages_load_nothing_from_elsewhere() -> None:
    for file in (*files("templates/*"), *files("static/*.css"), *files("static/*.js")):
        text = file.read_text(encoding="utf-8")
        loads = re.findall(
            r"""(?:src|href|url\(|@import|import|fetch\()\s*=?\s*["'(]*\s*((?:https?:)?//[^"')\s]+)""", text
        )
        assert loads == [], file.relative_to(ROOT)


RISKY = (
    r"(inner|outer)HTML\s*\+?=[^=]|insertAdjacentHTML|document\.write|\beval\(|new Function|setHTMLUnsafe"
    r"|parseHTMLUnsafe|createContextualFragment"
)


def test_scripts_make_no_markup_of_text() -> None:
    for file in files("static/js/*.js"):
        assert not re.search(RISKY, file.read_text(encoding="utf-8")), file.relative_to(ROOT)


def test_cancellation_is_never_swallowed() -> None:
    wrong = []
    for module in PRODUCTION:
        for node in places(module, ast.ExceptHandler):
            assert isinstance(node, ast.ExceptHandler)
            caught = {name.id for name in ast.walk(node.type) if isinstance(name, ast.Name)} if node.type else {"all"}
            if caught & {"all", "BaseException", "CancelledError"} and not any(
                isinstance(inner, ast.Raise) for inner in ast.walk(node)
            ):
                wrong.append(f"{module.path}:{node.lineno}")
    assert wrong == []


def test_no_form_or_serializer_takes_all_fields() -> None:
    wrong = [
        f"{module.path}:{node.lineno}"
        for module in PRODUCTION
        for node in places(module, ast.Constant)
        if isinstance(node, ast.Constant) and node.value == "__all__"
    ]
    assert wrong == []


def test_no_view_is_exempt_from_the_token() -> None:
    for module in PRODUCTION:
        names = {node.id for node in places(module, ast.Name) if isinstance(node, ast.Name)}
        assert not names & {"csrf_exempt", "xframe_options_exempt", "csp_exempt"}, module.path
