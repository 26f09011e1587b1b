"""People make and revoke the tokens of their programs on the page of their account."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.contrib.sessions.models import Session
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Token, User
from accounts.tokens import digest_of, make_token, revoke_token
from audit.models import AuditEvent
from tests.factories import make_user

PAGE = "/account/"
MAKE = "/account/tokens/"
HOSTILE = '<script>alert(1)</script>"><img src=x onerror=alert(1)>'
SECRET = re.compile(r"vbt_[\w-]{43}")
pytestmark = pytest.mark.django_db


@pytest.fixture
def person() -> User:
    return make_user()


@pytest.fixture
def browser(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def make(browser: Client, **changed: Any) -> HttpResponse:
    given = {"name": "Monthly report", "scopes": ["read", "write"], "days": "30"} | changed
    return browser.post(MAKE, {name: value for name, value in given.items() if value is not None})  # type: ignore[return-value]


def test_secret_is_shown_in_the_answer_that_made_it_and_never_again(browser: Client, person: User) -> None:
    response = make(browser)
    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]
    (secret,) = set(SECRET.findall(response.content.decode()))
    token = Token.objects.get()
    assert (token.digest, token.owner, token.created_by) == (digest_of(secret), person, person)
    assert (token.kind, token.scopes, token.name) == ("personal", ["read", "write"], "Monthly report")
    assert token.expires_at is not None
    assert (token.expires_at - token.created_at).days in (29, 30)
    later = browser.get(PAGE).content.decode()
    assert secret not in later
    assert token.prefix in later
    assert "Never used." in later
    kept = repr([session.get_decoded() for session in Session.objects.all()]) + repr(AuditEvent.objects.values())
    assert secret not in kept


def test_reloading_the_page_makes_no_second_token(browser: Client) -> None:
    make(browser)
    response = make(browser, name="  Monthly   report ")
    assert response.status_code == 422
    assert "a token of this name already" in response.content.decode()
    assert Token.objects.count() == 1
    back = browser.get(MAKE)
    assert (back.status_code, back["Location"]) == (302, "/account/#tokens")


@pytest.mark.parametrize(("changed", "said"), [
    ({"name": ""}, "Give it a name"), ({"name": None}, "Give it a name"), ({"name": "\u200b"}, "cannot be seen"),
    ({"name": "x" * 101}, "100"), ({"name": "a\x00b"}, "Null characters"),
    ({"scopes": []}, "at least one thing"), ({"scopes": ["root"]}, "not one of the available"),
    ({"scopes": ["read", "read_all"]}, "not one of the available"),
    ({"days": "0"}, "not one of the available"), ({"days": "99999"}, "not one of the available"),
    ({"days": None}, "for how long"),
], ids=["no name", "name missing", "invisible", "long", "nul", "no scope", "unknown scope", "scope of reviewers",
        "no days", "many days", "days missing"])  # fmt: skip
def test_f6_what_makes_no_token_is_said_beside_it_and_nothing_is_lost(
    browser: Client, changed: dict[str, Any], said: str
) -> None:
    response = make(browser, **changed)
    assert response.status_code == 422
    page = response.content.decode()
    assert said in page
    if not {"name"} & changed.keys():
        assert 'value="Monthly report"' in page
    assert not Token.objects.exists()


def test_f6_nobody_makes_a_token_for_others_or_without_an_end(browser: Client, person: User) -> None:
    other = make_user()
    make(browser, owner=str(other.pk), kind="service", expires_at="", prefix="vbt_mine", digest="0" * 64)
    token = Token.objects.get()
    assert (token.owner, token.kind, token.expires_at is None) == (person, "personal", False)
    assert token.digest != "0" * 64


def test_reading_all_is_offered_to_reviewers_alone(browser: Client, person: User) -> None:
    assert "read_all" not in browser.get(PAGE).content.decode()
    person.user_permissions.add(Permission.objects.get(codename="review_conversation"))
    assert 'value="read_all"' in browser.get(PAGE).content.decode()
    assert make(browser, scopes=["read", "read_all"]).status_code == 200
    assert Token.objects.get().scopes == ["read", "read_all"]


def test_revoking_ends_a_token_and_twice_is_once(browser: Client, person: User) -> None:
    token, _ = make_token(owner=person, name="Old", scopes=["read"])
    for _ in range(2):
        response = browser.post(f"{MAKE}{token.pk}/revoke/")
        assert (response.status_code, response["Location"]) == (303, "/account/#tokens")
    assert not Token.objects.usable().exists()
    assert AuditEvent.objects.filter(kind="token.revoked", actor_id=person.pk).count() == 1
    page = browser.get(PAGE).content.decode()
    assert "You have none." in page
    assert "revoked" in page


def test_i7_nobody_sees_or_revokes_tokens_of_others(browser: Client) -> None:
    token, _ = make_token(owner=make_user(), name="Not yours", scopes=["read"])
    assert "Not yours" not in browser.get(PAGE).content.decode()
    assert browser.post(f"{MAKE}{token.pk}/revoke/").status_code == 404
    assert Token.objects.usable().exists()


def test_r1_foreign_pages_make_and_revoke_nothing(person: User) -> None:
    token, _ = make_token(owner=person, name="Kept", scopes=["read"])
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(person)
    assert make(browser).status_code == 403
    assert browser.post(f"{MAKE}{token.pk}/revoke/").status_code == 403
    assert Token.objects.usable().count() == 1


def test_x14_hostile_names_are_text(browser: Client) -> None:
    made = make(browser, name=HOSTILE)
    refused = make(browser, name=HOSTILE)
    revoke_token(token=Token.objects.get(), by=None)
    for response in (made, refused, browser.get(PAGE)):
        page = response.content.decode()
        assert "&lt;script&gt;" in page
        assert "<script>alert" not in page
        assert "<img src=x" not in page


def test_queries_of_the_page_do_not_grow_with_the_tokens(browser: Client, person: User) -> None:
    counts = []
    for round_ in range(2):
        for number in range(5):
            make_token(owner=person, name=f"{round_} {number}", scopes=["read"])
            revoke_token(token=make_token(owner=person, name="old", scopes=["read"])[0], by=person)
        with CaptureQueriesContext(connection) as queries:
            browser.get(PAGE)
        counts.append(len(queries))
    assert counts[0] == counts[1]
