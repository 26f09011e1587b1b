"""The people and things that the access tests share."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.access.world import World


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> None:
    """Thousands of refusals are meant here; each would leave a line, some a traceback."""
    caplog.set_level(logging.CRITICAL, "django.request")
    caplog.set_level(logging.CRITICAL, "django.security")


@pytest.fixture(scope="module")
def first_world(made_once: Callable[[Callable[[], World]], World]) -> World:
    """The world of all tests of a module. One in which a test commits has to make its own for each."""
    from tests.access.world import make_world  # models load after this file does

    return made_once(make_world)


@pytest.fixture
def world(first_world: World, db: None) -> World:
    """The world as it was at the beginning."""
    return copy.deepcopy(first_world)
