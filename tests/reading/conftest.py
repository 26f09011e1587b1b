"""People who read what others wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from accounts.models import User
    from tests.sitting import SittingClient


@pytest.fixture
def reviewer(db: None) -> User:
    """Staff with the one right to read conversations."""
    from django.contrib.auth.models import Permission  # models load after this file does

    from tests.factories import make_user

    reviewer = make_user(username="reviewer", is_staff=True)
    reviewer.user_permissions.add(Permission.objects.get(codename="review_conversation"))
    return reviewer


@pytest.fixture
def client(reviewer: User) -> SittingClient:
    """The reviewer's browser; they have said why they read."""
    from tests.sitting import SittingClient

    client = SittingClient()
    client.force_login(reviewer)
    return client
