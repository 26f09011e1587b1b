"""Cookies die when they should."""

from django.test import Client
from django.urls import reverse

from accounts.models import User
from tests.accounts.conftest import PASSWORD, SignIn, is_signed_in

NEW_PASSWORD = "another-fair-password-18"


def _copy(client: Client) -> Client:
    thief = Client()
    thief.cookies["session"] = client.cookies["session"].value
    return thief


def test_sign_out_takes_a_post(client: Client, person: User, sign_in: SignIn) -> None:
    sign_in(client, "ada")
    client.get(reverse("account_logout"))
    assert is_signed_in(client)
    client.post(reverse("account_logout"))
    assert not is_signed_in(client)


def test_sign_out_from_a_foreign_page_is_refused(person: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(person)
    assert client.post(reverse("account_logout")).status_code == 403
    assert is_signed_in(client)


def test_a14_sign_out_kills_the_cookie(client: Client, person: User, sign_in: SignIn) -> None:
    sign_in(client, "ada")
    thief = _copy(client)
    assert is_signed_in(thief)
    client.post(reverse("account_logout"))
    assert not is_signed_in(thief)


def test_a14_password_change_kills_all_other_cookies(client: Client, person: User, sign_in: SignIn) -> None:
    sign_in(client, "ada")
    elsewhere = Client()
    sign_in(elsewhere, "ada")
    thief = _copy(client)
    data = {"oldpassword": PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    response = client.post(reverse("account_change_password"), data)
    assert response.status_code == 302
    assert is_signed_in(client)
    assert not is_signed_in(thief)
    assert not is_signed_in(elsewhere)
    sign_in(elsewhere, "ada", NEW_PASSWORD)
    assert is_signed_in(elsewhere)


def test_password_change_needs_the_old_one_and_a_strong_new_one(client: Client, person: User) -> None:
    client.force_login(person)
    for old, new in (("wrong", NEW_PASSWORD), (PASSWORD, "12345678"), (PASSWORD, "ada@example")):
        client.post(reverse("account_change_password"), {"oldpassword": old, "password1": new, "password2": new})
    person.refresh_from_db()
    assert person.check_password(PASSWORD)


def test_a14_deactivated_person_is_out_at_once(client: Client, person: User, sign_in: SignIn) -> None:
    sign_in(client, "ada")
    User.objects.update(is_active=False)
    assert not is_signed_in(client)
