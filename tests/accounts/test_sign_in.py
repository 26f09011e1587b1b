"""Signing in: who gets in, and what strangers learn."""

import re

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from accounts.models import User
from tests.accounts.conftest import PASSWORD, SignIn, is_signed_in
from tests.accounts.hashing import CountingHasher


@pytest.mark.parametrize("login", ["ada", "ADA", "ada@example.org", "Ada@Example.ORG", "  ada  "])
def test_username_and_email_sign_in(client: Client, person: User, sign_in: SignIn, login: str) -> None:
    response = sign_in(client, login)
    assert (response.status_code, response["Location"]) == (302, reverse("conversations:list"))
    assert is_signed_in(client)


def test_email_address_in_capitals_signs_in_too(client: Client, db: None, sign_in: SignIn) -> None:
    User.objects.create_user("grace", "Grace.H@Example.org", PASSWORD)
    sign_in(client, "Grace.H@Example.org")
    assert is_signed_in(client)


@pytest.mark.parametrize("path", ["signup", "password/reset", "password/set", "email", "inactive", "confirm-email"])
def test_nothing_else_of_allauth_is_there(client: Client, person: User, path: str) -> None:
    client.force_login(person)
    assert client.get(f"/accounts/{path}/").status_code == 404


def _answer(response: HttpResponse, login: str) -> tuple[int, str]:
    page = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", response.content.decode())
    return response.status_code, page.replace(login, "LOGIN")


@pytest.mark.parametrize(("known", "unknown"), [("ada", "eve"), ("ada@example.org", "eve@example.org")])
def test_a13_unknown_login_and_wrong_password_get_the_same_answer(
    client: Client, person: User, sign_in: SignIn, known: str, unknown: str
) -> None:
    wrong = _answer(sign_in(client, known, "wrong"), known)
    assert wrong == _answer(sign_in(client, unknown, "wrong"), unknown)


def test_a13_deactivated_person_gets_the_answer_of_a_wrong_password(
    client: Client, person: User, sign_in: SignIn
) -> None:
    wrong = _answer(sign_in(client, "ada", "wrong"), "ada")
    User.objects.update(is_active=False)
    assert _answer(sign_in(client, "ada"), "ada") == wrong


@pytest.mark.parametrize(("known", "unknown"), [("ada", "eve"), ("ada@example.org", "eve@example.org")])
def test_a13_unknown_login_costs_as_much_hashing_as_a_wrong_password(
    client: Client, db: None, settings: Settings, sign_in: SignIn, known: str, unknown: str
) -> None:
    settings.PASSWORD_HASHERS = ["tests.accounts.hashing.CountingHasher"]
    User.objects.create_user("ada", "ada@example.org", PASSWORD)
    counts = []
    for login in (known, unknown):
        before = CountingHasher.count
        sign_in(client, login, "wrong")
        counts.append(CountingHasher.count - before)
    assert counts == [1, 1]


@pytest.mark.parametrize(
    "target",
    ["//evil.example", "///evil.example", "https://evil.example/", "/\\evil.example", "\\\\evil.example",
     "http:///evil.example", "javascript:alert(1)", "https://testserver.evil.example/", "//testserver@evil.example"],
)  # fmt: skip
def test_a13_sign_in_and_sign_out_never_lead_elsewhere(
    client: Client, person: User, sign_in: SignIn, target: str
) -> None:
    assert sign_in(client, "ada", next=target)["Location"] == reverse("conversations:list")
    assert client.get(reverse("account_login"), {"next": target})["Location"] == reverse("conversations:list")
    assert client.post(reverse("account_logout"), {"next": target})["Location"] == reverse("account_login")


def test_sign_in_leads_back_to_the_page_that_was_asked_for(client: Client, person: User, sign_in: SignIn) -> None:
    assert sign_in(client, "ada", next="/conversations/?q=a")["Location"] == "/conversations/?q=a"


def test_a13_session_rotates_at_sign_in(client: Client, person: User, sign_in: SignIn) -> None:
    session = client.session
    session["planted"] = "by somebody else"
    session.save()
    planted = session.session_key
    assert planted is not None
    client.cookies["session"] = planted
    sign_in(client, "ada")
    assert client.cookies["session"].value != planted
    thief = Client()
    thief.cookies["session"] = planted
    assert not is_signed_in(thief)


def test_a13_foreign_host_is_refused(client: Client, db: None, settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["chat.example.org"]
    assert client.get(reverse("account_login"), headers={"host": "evil.example"}).status_code == 400
