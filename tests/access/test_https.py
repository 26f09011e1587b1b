"""What changes when people come over https: cookies, redirects, and Django's own list for deployment."""

from __future__ import annotations

import runpy
from http.cookies import Morsel
from typing import Any

import pytest
from django.conf import settings as loaded
from django.core import checks
from django.test import Client
from pytest_django import Settings

from tests.factories import make_user

PASSWORD = "a-fair-password-17"
HTTPS = {
    "PUBLIC_URL": "https://chat.example.org",
    "AWS_STORAGE_BUCKET_NAME": "record",
    "SECRET_KEY": "only-long-enough-0123456789-abcdefghijklmnopqrstuvwxyz",
}
KEPT = ("DATABASES", "STORAGES", "PASSWORD_HASHERS", "STATIC_ROOT")  # as the test run made them


@pytest.fixture
def https(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> dict[str, Any]:
    """The settings as they would be in an installation with an https address."""
    for name, value in HTTPS.items():
        monkeypatch.setenv(name, value)
    values = runpy.run_path(str(loaded.BASE_DIR / "chatapp" / "settings.py"))
    for name, value in values.items():
        if name.isupper() and not name.startswith("_") and name not in KEPT and value != getattr(settings, name, None):
            setattr(settings, name, value)
    return values


def client() -> Client:
    return Client(headers={"host": "chat.example.org"})


def cookie(response: Any, name: str) -> Morsel[str]:
    found: Morsel[str] = response.cookies[name]
    return found


def test_r6_cookies_are_bound_to_the_host_and_out_of_reach_of_scripts(https: dict[str, Any], db: None) -> None:
    make_user(username="ada", password=PASSWORD)
    browser = client()
    page = browser.get("/accounts/login/", secure=True)
    signed_in = browser.post("/accounts/login/", {"login": "ada", "password": PASSWORD}, secure=True)
    assert signed_in.status_code == 302
    for response, name in ((page, "__Host-csrf"), (signed_in, "__Host-session")):
        morsel = cookie(response, name)
        assert (morsel["secure"], morsel["httponly"], morsel["samesite"]) == (True, True, "Lax")
        assert (morsel["path"], morsel["domain"]) == ("/", "")
    assert set(browser.cookies) <= {"__Host-csrf", "__Host-session", "messages"}


def test_r6_every_cookie_that_is_ever_set_is_secure(https: dict[str, Any], db: None) -> None:
    make_user(username="ada", password=PASSWORD)
    browser = client()
    answers = [
        browser.get("/accounts/login/", secure=True),
        browser.post("/accounts/login/", {"login": "ada", "password": "wrong"}, secure=True),
        browser.post("/accounts/login/", {"login": "ada", "password": PASSWORD}, secure=True),
        browser.get("/conversations/", secure=True),
        browser.post("/accounts/logout/", secure=True),
        browser.get("/accounts/login/", secure=True),
    ]
    for response in answers:
        for name, morsel in response.cookies.items():
            if morsel.value:
                assert morsel["secure"], name
                assert morsel["httponly"], name
                assert morsel["samesite"] == "Lax", name
                assert name.startswith("__Host-") or name == "messages"  # signed, and read by nobody but Django


def test_r5_plain_http_is_sent_to_https_and_https_is_remembered_for_a_year(https: dict[str, Any], db: None) -> None:
    response = client().get("/conversations/")
    assert (response.status_code, response["Location"]) == (301, "https://chat.example.org/conversations/")
    remembered = client().get("/accounts/login/", secure=True)["Strict-Transport-Security"]
    assert remembered == "max-age=31536000; includeSubDomains; preload"


def test_load_balancers_ask_over_plain_http(https: dict[str, Any], db: None) -> None:
    assert client().get("/healthz").status_code == 200
    assert client().get("/readyz").status_code == 200


def test_a13_a_foreign_host_is_refused(https: dict[str, Any], db: None) -> None:
    browser = Client(headers={"host": "evil.example"}, raise_request_exception=False)
    assert browser.get("/accounts/login/", secure=True).status_code == 400


def test_r1_a_form_from_plain_http_is_refused(https: dict[str, Any], db: None) -> None:
    browser = Client(enforce_csrf_checks=True, headers={"host": "chat.example.org"})
    token = browser.get("/accounts/login/", secure=True).context["csrf_token"]
    for origin in ("http://chat.example.org", "https://chat.example.org.evil.example"):
        form = {"login": "ada", "csrfmiddlewaretoken": str(token)}
        response = browser.post("/accounts/login/", form, secure=True, headers={"Origin": origin})
        assert response.status_code == 403


def test_r9_djangos_list_for_deployment_is_empty(https: dict[str, Any]) -> None:
    assert checks.run_checks(include_deployment_checks=True) == []
