"""People who sign in, and the form that they use."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

if TYPE_CHECKING:
    from accounts.models import User

PASSWORD = "a-fair-password-17"
type SignIn = Callable[..., HttpResponse]


@pytest.fixture
def person(db: None) -> User:
    from accounts.models import User  # models load after this file does

    return User.objects.create_user("ada", "ada@example.org", PASSWORD)


@pytest.fixture
def sign_in() -> SignIn:
    def sign_in(client: Client, login: str, password: str = PASSWORD, **more: str) -> HttpResponse:
        data = {"login": login, "password": password}
        if "next" in more:
            data["next"] = more.pop("next")
        return client.post(reverse("account_login"), data, **more)  # type: ignore[arg-type,return-value]

    return sign_in


def is_signed_in(client: Client) -> bool:
    """Ask for a page that only people see."""
    return client.get(reverse("account_change_password")).status_code == 200
