"""A company's provider that really runs, and an installation that signs people in by it."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from tests.fakes.company.process import Company

CALLBACK = "/accounts/company/callback/"
_ADDRESS = re.compile(r'class="button button-main" href="([^"]+)"')


@pytest.fixture(scope="session")
def running_company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    from django.conf import settings

    with Company(tmp_path_factory.mktemp("company"), [settings.PUBLIC_URL + CALLBACK]) as company:
        yield company


@pytest.fixture
def company(running_company: Company, settings: Settings, db: None) -> Iterator[Company]:
    """The provider, with which this installation is set up as the variables OIDC_* would do."""
    connect(settings, running_company.issuer)
    yield running_company
    running_company.be_itself()


def connect(settings: Settings, issuer: str, **more: Any) -> None:
    """Set up sign-in by an issuer."""
    settings.OIDC_ISSUER, settings.OIDC_CLIENT_ID = issuer, "verbatim"
    settings.OIDC_AUDIENCE = "verbatim-api"
    app = {
        "provider_id": issuer,
        "name": "Company sign-in",
        "client_id": "verbatim",
        "secret": "the client's secret",
        "settings": {"server_url": issuer, "scope": settings.OIDC_SCOPES, "oauth_pkce_enabled": True} | more,
    }
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": [app]}}


def begin(client: Client, **form: str) -> str:
    """Press the button, and return where the page leads."""
    page = client.post("/accounts/company/login/", form)
    assert page.status_code == 200, page.content
    return html.unescape(_ADDRESS.findall(page.content.decode())[0])


def come_back(client: Client, address: str) -> Any:
    """Follow the provider's redirect back to us."""
    assert CALLBACK in address
    return client.get(address[address.index(CALLBACK) :])


def sign_in(client: Client, company: Company, username: str = "ada", **form: str) -> Any:
    """Go all the way; return the answer to the return."""
    return come_back(client, company.visit(begin(client, **form), username))
