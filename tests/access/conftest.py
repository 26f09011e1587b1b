"""The people and things that the access tests share."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.access.world import World


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> None:
    """Thousands of refusals are meant here; each would leave a line, some a traceback."""
    caplog.set_level(logging.CRITICAL, "django.request")
    caplog.set_level(logging.CRITICAL, "django.security")


@pytest.fixture
def world(db: None) -> World:
    from tests.access.world import make_world  # models load after this file does

    return make_world()
