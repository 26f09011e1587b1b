"""Somebody who signs in without a password."""

import pytest
from django.test import Client

from tests.factories import make_user


@pytest.mark.django_db
def test_somebody_without_a_password_is_told_so_and_led_nowhere(client: Client) -> None:
    client.force_login(make_user(password=None))
    assert client.get("/accounts/password/change/").status_code == 403
