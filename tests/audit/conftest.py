"""What the tests of the audit share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.fakes.folder import FilesFolder

if TYPE_CHECKING:
    from pytest_django import Settings

    from accounts.models import User


@pytest.fixture
def folder(settings: Settings, tmp_path: Any) -> FilesFolder:
    return FilesFolder(settings, tmp_path)


@pytest.fixture
def superuser(db: None) -> User:
    from accounts.models import User  # models load after this file does

    return User.objects.create_superuser("root", "root@example.org", "a-fair-password-17")
