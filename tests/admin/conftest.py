"""People of the back office, and conversations for them to read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from accounts.models import User
    from tests.sitting import SittingClient


@pytest.fixture
def client() -> SittingClient:
    """A browser whose person has said why they read."""
    from tests.sitting import SittingClient  # models load after this file does

    return SittingClient()


@pytest.fixture
def superuser(db: None) -> User:
    from accounts.models import User

    return User.objects.create_superuser("root", "root@example.org", "a-fair-password-17")


@pytest.fixture
def staff(db: None) -> User:
    """Staff without any right."""
    from tests.factories import make_user

    return make_user(username="staff", is_staff=True)


@pytest.fixture
def reviewer(db: None) -> User:
    """Staff with the one right to read conversations."""
    from django.contrib.auth.models import Permission

    from tests.factories import make_user

    reviewer = make_user(username="reviewer", is_staff=True)
    reviewer.user_permissions.add(Permission.objects.get(codename="review_conversation"))
    return reviewer
