"""A person with an assistant, and no jobs of others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.live.conftest import no_jobs

__all__ = ["no_jobs"]

if TYPE_CHECKING:
    from accounts.models import User
    from conversations.models import Assistant

# Models load after this file does, hence the imports in fixtures.


@pytest.fixture(autouse=True)
def _no_earlier_jobs(db: None) -> None:
    """Procrastinate's tables are not Django's: what a test that commits leaves in them stays for the next ones."""
    from tests.services.calls import sql

    sql("DELETE FROM procrastinate_jobs")


@pytest.fixture
def owner(db: None) -> User:
    from tests.factories import make_user

    return make_user()


@pytest.fixture
def assistant(db: None) -> Assistant:
    from tests.factories import make_assistant, make_model

    make_model()
    return make_assistant()
