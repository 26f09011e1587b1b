"""A person, and a folder for files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.fakes.folder import FilesFolder

if TYPE_CHECKING:
    from accounts.models import User


@pytest.fixture
def owner(db: None) -> User:
    from tests.factories import make_user  # models load after this file does

    return make_user(first_name="Olive", last_name="Owner")


@pytest.fixture(autouse=True)
def _folder(folder: FilesFolder) -> None:
    """All files of these tests lie in a folder of their own."""
