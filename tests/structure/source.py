"""The project's own Python files, read as syntax trees."""

from __future__ import annotations

import ast
import functools
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OWN = ("accounts", "audit", "batches", "bench", "chatapp", "conversations", "records", "rest", "tests", "webhooks")


@dataclass(frozen=True)
class Module:
    """A file, with the dotted name under which it is imported."""

    name: str
    path: str

    @functools.cached_property
    def tree(self) -> ast.Module:
        return ast.parse((ROOT / self.path).read_text(encoding="utf-8"))

    @functools.cached_property
    def imports(self) -> tuple[tuple[str, int], ...]:
        """What is imported, with the line: also inside functions, and where only types are checked."""
        return tuple(self._imports())

    def _imports(self) -> Iterator[tuple[str, int]]:
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from ((alias.name, node.lineno) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                origin = self._origin(node)
                for alias in node.names:
                    whole = f"{origin}.{alias.name}"
                    yield whole if is_module(whole) else origin, node.lineno

    def _origin(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        here = self.name.split(".") + ([""] if self.path.endswith("__init__.py") else [])
        return ".".join([*here[: -node.level], *filter(None, [node.module])])


@functools.cache
def files(pattern: str = "*") -> tuple[Path, ...]:
    """Return the files that are, or would be, under version control."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", pattern]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return tuple(sorted(ROOT / name for name in set(listed.split("\0")) if name and (ROOT / name).is_file()))


@functools.cache
def modules() -> tuple[Module, ...]:
    """Return every Python file of the project, migrations aside."""
    found = []
    for file in files("*.py"):
        path = file.relative_to(ROOT)
        if "migrations" not in path.parts:
            name = ".".join(path.with_suffix("").parts).removesuffix(".__init__")
            found.append(Module(name, str(path)))
    return tuple(found)


@functools.cache
def is_module(name: str) -> bool:
    """Whether a dotted name is one of our files or packages."""
    path = ROOT.joinpath(*name.split("."))
    return name.split(".")[0] in OWN and (path.with_suffix(".py").is_file() or (path / "__init__.py").is_file())


def within(*parts: str) -> tuple[Module, ...]:
    """Return the modules of these packages (or the modules themselves)."""
    found = tuple(
        module
        for module in modules()
        if any(module.name == part or module.name.startswith(f"{part}.") for part in parts)
    )
    assert found, f"There is nothing under {parts}; the test would prove nothing."
    return found
