"""What the tests of the API share: people, what one of them said, and storage of a test's own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pytest_django import Settings

from tests.fakes.folder import FilesFolder

if TYPE_CHECKING:
    from tests.api.caller import Caller
    from tests.api.said import Said


@pytest.fixture
def folder(settings: Settings, tmp_path: Path) -> FilesFolder:
    return FilesFolder(settings, tmp_path)


@pytest.fixture
def said(db: None, folder: FilesFolder) -> Said:
    """Somebody's finished conversation."""
    from tests.api.said import say  # models load after this file does

    return say()


@pytest.fixture
def anna(said: Said) -> Caller:
    """A program of whose conversation that is."""
    from tests.api.caller import Caller

    return Caller(said.owner)


@pytest.fixture
def boris(db: None) -> Caller:
    """A program of somebody else."""
    from tests.api.caller import Caller
    from tests.factories import make_user

    return Caller(make_user(username="boris"))


@pytest.fixture
def reviewer(db: None) -> Caller:
    """A program of somebody who may review conversations, with the scope to read all."""
    from tests.api.caller import make_reviewer

    return make_reviewer()
