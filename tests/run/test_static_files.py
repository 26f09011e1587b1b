"""A start gathers the static files once, and again when there are others."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.management import call_command
from django.utils.functional import empty
from pytest_django import Settings

from chatapp.embedded import static_files

type Count = Callable[[], int]


@pytest.fixture
def source(settings: Settings, tmp_path: Path) -> Path:
    """A folder of static files, which are gathered in another one as in an installation."""
    source = tmp_path / "source"
    source.mkdir()
    (source / "site.css").write_text("a { color: red }")
    settings.STATICFILES_DIRS = [source]
    settings.STATIC_ROOT = tmp_path / "static"
    settings.INSTALLED_APPS = ["django.contrib.staticfiles"]
    backend = {"BACKEND": "servestatic.storage.CompressedManifestStaticFilesStorage"}
    settings.STORAGES = settings.STORAGES | {"staticfiles": backend}
    return source


@pytest.fixture
def gathered(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Count:
    """Start once more; return how often files have been gathered."""
    runs = []

    def counted(*what: Any, **more: Any) -> None:
        runs.append(what)
        call_command(*what, **more)

    monkeypatch.setattr("chatapp.embedded.static_files.call_command", counted)

    def start() -> int:
        cast(Any, staticfiles_storage)._wrapped = empty  # as in a new process
        static_files.gather(tmp_path / "stamp")
        return len(runs)

    return start


def served(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_what_has_not_changed_is_gathered_once(gathered: Count, tmp_path: Path) -> None:
    assert [gathered(), gathered(), gathered()] == [1, 1, 1]
    assert any(re.fullmatch(r"site\.[0-9a-f]{12}\.css", name) for name in served(tmp_path / "static"))


def test_what_was_changed_or_added_or_lost_is_gathered(gathered: Count, source: Path, tmp_path: Path) -> None:
    gathered()
    first = served(tmp_path / "static")
    (source / "site.css").write_text("a { color: blue }")
    assert gathered() == 2
    assert served(tmp_path / "static") > first
    (source / "more.js").write_text("1;")
    assert gathered() == 3
    assert "more.js" in served(tmp_path / "static")
    for path in (tmp_path / "static").iterdir():
        path.unlink()
    assert gathered() == 4
    assert gathered() == 4


def test_what_failed_is_tried_again(gathered: Count, source: Path) -> None:
    gathered()
    (source / "site.css").write_text("a { background: url(nowhere.png) }")
    for _ in range(2):
        with pytest.raises(Exception, match=r"nowhere\.png"):
            gathered()
    (source / "site.css").write_text("a { color: green }")
    assert gathered() == 4
