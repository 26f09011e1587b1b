"""People who search."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from accounts.models import User


@pytest.fixture
def anna(db: None) -> User:
    from tests.factories import make_user  # models load after this file does

    return make_user()


@pytest.fixture
def boris(db: None) -> User:
    from tests.factories import make_user

    return make_user()
