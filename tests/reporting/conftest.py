"""Who looks at reports."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from accounts.models import User


@pytest.fixture
def analyst(db: None) -> User:
    """Staff with the one right to see usage."""
    from django.contrib.auth.models import Permission

    from tests.factories import make_user

    analyst = make_user(username="analyst", is_staff=True)
    analyst.user_permissions.add(Permission.objects.get(codename="view_usagefact"))
    return analyst
