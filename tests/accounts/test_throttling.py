"""Guessing passwords is slow, for one account and from one address, whatever a client says about itself."""

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from pytest_django.fixtures import Settings

from accounts.models import User
from tests.accounts.conftest import SignIn, is_signed_in


def test_a13_brute_force_is_throttled_for_each_login(client: Client, person: User, sign_in: SignIn) -> None:
    for number in range(5):
        sign_in(client, "ada", f"guess {number}", REMOTE_ADDR=f"192.0.2.{number}")
    sign_in(client, "ada", REMOTE_ADDR="192.0.2.99")
    assert not is_signed_in(client)


@pytest.mark.parametrize("spelling", ["ADA", "Ada", " ada "])
def test_a13_another_spelling_of_the_login_begins_no_new_count(
    client: Client, person: User, sign_in: SignIn, spelling: str
) -> None:
    for number in range(5):
        sign_in(client, spelling, f"guess {number}")
    sign_in(client, "ada")
    assert not is_signed_in(client)


def test_a13_another_port_in_the_host_header_begins_no_new_count(client: Client, person: User, sign_in: SignIn) -> None:
    for number in range(5):
        sign_in(client, "ada", f"guess {number}", HTTP_HOST=f"testserver:{8000 + number}")
    sign_in(client, "ada")
    assert not is_signed_in(client)


def test_q5_one_address_trying_many_logins_is_throttled(client: Client, person: User, sign_in: SignIn) -> None:
    for number in range(10):
        sign_in(client, f"nobody-{number}", "guess")
    sign_in(client, "ada")
    assert not is_signed_in(client)
    sign_in(client, "ada", REMOTE_ADDR="192.0.2.7")
    assert is_signed_in(client)


def test_q5_x_forwarded_for_is_not_believed_without_a_proxy(client: Client, person: User, sign_in: SignIn) -> None:
    for number in range(10):
        sign_in(client, f"nobody-{number}", "guess", HTTP_X_FORWARDED_FOR=f"198.51.100.{number}")
    sign_in(client, "ada", HTTP_X_FORWARDED_FOR="198.51.100.99")
    assert not is_signed_in(client)


def test_q5_behind_one_proxy_only_what_the_proxy_wrote_counts(
    client: Client, person: User, sign_in: SignIn, settings: Settings
) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    for number in range(10):
        sign_in(client, f"nobody-{number}", "guess", HTTP_X_FORWARDED_FOR=f"198.51.100.{number}, 203.0.113.5")
    sign_in(client, "ada", HTTP_X_FORWARDED_FOR="198.51.100.99, 203.0.113.5")
    assert not is_signed_in(client)
    sign_in(client, "ada", HTTP_X_FORWARDED_FOR="203.0.113.5, 203.0.113.6")
    assert is_signed_in(client)


def test_q5_counts_are_in_the_database_where_every_process_sees_them(
    client: Client, person: User, sign_in: SignIn
) -> None:
    sign_in(client, "ada", "guess")
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM cache WHERE cache_key LIKE '%%allauth:rl:%%'")
        (counts,) = cursor.fetchone()
    assert counts >= 2  # of the address and of the login


def test_hundreds_of_other_counts_do_not_push_an_older_one_out(client: Client, person: User, sign_in: SignIn) -> None:
    for number in range(5):
        sign_in(client, "ada", f"guess {number}", REMOTE_ADDR=f"192.0.2.{number}")
    for number in range(320):  # Django's database cache drops a third of its rows beyond 300, unless told otherwise
        cache.set(f"other-{number}", [0])
    sign_in(client, "ada", REMOTE_ADDR="192.0.2.99")
    assert not is_signed_in(client)
