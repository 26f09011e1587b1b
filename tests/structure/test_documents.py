"""What the documents say is what is there."""

from __future__ import annotations

import ast
import re

import pytest

from tests.structure.source import ROOT, files, within

OF_EVERY_PROGRAM = {"NO_PROXY", "no_proxy"}  # no setting of ours
LIBRARIES_READ = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}  # boto3 looks for them by itself


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def variables_asked_for() -> set[str]:
    """Return the names that settings, launcher and server configuration read from the environment."""
    names = set(LIBRARIES_READ)
    for module in (*within("chatapp"), *within("gunicorn.conf")):
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call) and node.args:
                called = ast.unparse(node.func)
                if called.startswith("env.") or called in ("os.environ.get", "os.getenv"):
                    names |= _literal(node.args[0])
            elif isinstance(node, ast.Subscript) and ast.unparse(node.value) == "os.environ":
                names |= _literal(node.slice) if isinstance(node.ctx, ast.Load) else set()
    return names - OF_EVERY_PROGRAM


def _literal(node: ast.AST) -> set[str]:
    return {node.value} if isinstance(node, ast.Constant) and isinstance(node.value, str) else set()


def test_env_example_names_exactly_the_variables_that_are_read() -> None:
    named = re.findall(r"^#? ?([A-Z][A-Z0-9_]+)=", read(".env.example"), flags=re.MULTILINE)
    assert len(named) == len(set(named))
    assert set(named) == variables_asked_for()


def test_env_example_holds_no_secret() -> None:
    for name in ("SECRET_KEY", "DATABASE_URL", "OPENAI_API_KEY", "ADMIN_PASSWORD", *LIBRARIES_READ):
        assert re.search(rf"^{name}=$", read(".env.example"), flags=re.MULTILINE), name


def direct_dependencies() -> set[str]:
    names = set()
    for line in read("requirements.in").splitlines():
        if found := re.match(r"[A-Za-z0-9][\w.-]*", line):
            names.add(found[0].lower())
    return names


def test_every_direct_dependency_is_explained() -> None:
    text = read("docs/architecture.md").lower()
    assert [name for name in sorted(direct_dependencies()) if name not in text] == []


def test_every_direct_dependency_is_pinned_with_its_hash_and_no_index() -> None:
    for file in files("requirements*.txt"):
        text = file.read_text(encoding="utf-8")
        assert not re.search(r"--(extra-)?index-url|--find-links|https?://(?!.*#)", re.sub(r"#.*", "", text)), file.name
        for line in re.findall(r"^[A-Za-z0-9].*$", text, flags=re.MULTILINE):
            assert "==" in line, f"{file.name}: {line}"
    pinned = {
        found.lower() for found in re.findall(r"^([A-Za-z0-9][\w.-]*)", read("requirements.txt"), flags=re.MULTILINE)
    }
    assert direct_dependencies() <= pinned


def targets() -> set[str]:
    return set(re.findall(r"^([a-z]+):", read("Makefile"), flags=re.MULTILINE))


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md", "docs/architecture.md"])
def test_every_command_of_the_documents_exists(document: str) -> None:
    text = read(document)
    assert set(re.findall(r"`[^`]*?\bmake ([a-z]+)", text)) <= targets()
    assert set(re.findall(r"^\s*(?:\$ )?make ([a-z]+)", text, flags=re.MULTILINE)) <= targets()


def test_the_readme_names_the_two_commands() -> None:
    for command in ("make run", "make test"):
        assert command in read("README.md")


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md", "docs/architecture.md"])
def test_every_file_that_the_documents_link_to_exists(document: str) -> None:
    folder = (ROOT / document).parent
    for target in re.findall(r"\]\(([^)#\s]+)", read(document)):
        assert "://" in target or (folder / target).exists(), target


def test_every_path_that_the_documents_name_exists() -> None:
    for document in ("README.md", "CONTRIBUTING.md", "docs/architecture.md"):
        for path in re.findall(
            r"`((?:accounts|chatapp|conversations|templates|static|tests|docs|bench)/[\w./-]*)`", read(document)
        ):
            assert (ROOT / path).exists(), f"{document}: {path}"


def test_nothing_generated_and_no_secret_is_in_the_repository() -> None:
    names = [str(file.relative_to(ROOT)) for file in files()]
    assert [
        name for name in names if re.search(r"\.pyc$|__pycache__|(^|/)var/|(^|/)\.env$|\.sqlite3$|\.log$", name)
    ] == []
    for file in files("*.py"):
        assert not re.search(r"sk-[A-Za-z0-9]{20,}|AKIA[0-9A-Z]{16}", file.read_text(encoding="utf-8")), file


@pytest.mark.parametrize("target", ["help", "run", "test", "check", "bench"])
def test_make_has_the_targets_that_people_rely_on_and_explains_them(target: str) -> None:
    assert re.search(rf"^{target}:.*## \S", read("Makefile"), flags=re.MULTILINE)


def test_the_image_gets_every_app() -> None:
    apps = {path.parent.name for path in ROOT.glob("*/apps.py")} | {"chatapp", "static", "templates"}
    let_in = {line.removeprefix("!") for line in read(".dockerignore").splitlines() if line.startswith("!")}
    assert apps - let_in == set()
