"""A person signs in by the company's provider in a browser, and makes a token for a program of theirs."""

from __future__ import annotations

import os
import re
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.fakes.company import PASSWORD
from tests.fakes.company.process import Company
from tests.fakes.process import FakeOpenAI
from tests.system.browser import EVERYTHING, FITS, PHONE, Visitor, faults
from tests.system.conftest import running_site
from tests.system.site import Site


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    with Company(tmp_path_factory.mktemp("company"), []) as company:
        yield company


@pytest.fixture(scope="module")
def site(openai: FakeOpenAI, company: Company) -> Iterator[Site]:
    """A site of this module's own, whose people sign in by the company."""
    extra = {
        "OIDC_ISSUER": company.issuer,
        "OIDC_CLIENT_ID": "verbatim",
        "OIDC_CLIENT_SECRET": "the client's secret",
        "OIDC_GROUPS": "chat-desk=@staff,law=Lawyers",
    }
    with running_site(os.environ["DATABASE_URL"], openai, extra) as site:
        company.say("redirects", [f"{site.url}/accounts/company/callback/"])
        yield site


def sign_in(page: Page, company: Company, name: str) -> None:
    page.get_by_role("button", name="Sign in with your company account").click()
    page.wait_for_url(f"{company.issuer}/**")
    page.locator("[name=login]").fill(name)
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("form button").last.click()


def asks(site: Site, secret: str) -> int:
    request = urllib.request.Request(f"{site.url}/api/v1/me/", headers={"Authorization": f"Bearer {secret}"})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        return refused.code


@pytest.mark.parametrize("with_scripts", [True, False], ids=["scripts", "no scripts"])
def test_a_person_signs_in_by_the_company_with_scripts_and_without(
    browser: Browser, site: Site, company: Company, with_scripts: bool
) -> None:
    company.say("claims", {"ada": {"groups": ["law"]}, "grace": {"groups": ["chat-desk"]}})
    context = browser.new_context(base_url=site.url, java_script_enabled=with_scripts)
    page = context.new_page()
    page.goto("/conversations/?q=a")
    if with_scripts:
        assert faults(page, EVERYTHING) == []
    sign_in(page, company, "ada" if with_scripts else "grace")
    page.wait_for_url(f"{site.url}/conversations/?q=a")
    page.goto("/account/")
    expect(page.locator("main")).to_contain_text("ada@company.example" if with_scripts else "grace@company.example")
    page.goto("/admin/")
    expect(page.locator("body")).to_contain_text("Not open to you" if with_scripts else "Back office")
    context.close()


def test_a_person_makes_a_token_uses_it_and_ends_it(browser: Browser, site: Site) -> None:
    visitor = Visitor(browser, site, "programmer")
    page = visitor.open("/account/")
    page.get_by_text("Make a token").first.click()
    page.get_by_role("textbox", name="Name").fill("Monthly report")
    assert faults(page, EVERYTHING) == []
    page.get_by_role("button", name="Make the token").click()
    secret = page.locator(".token-secret code").inner_text()
    assert re.fullmatch(r"vbt_[\w-]{43}", secret)
    assert faults(page, EVERYTHING) == []
    assert asks(site, secret) == 200
    page.goto("/account/")
    assert secret not in page.content()
    expect(page.locator(".token")).to_contain_text("Last used")
    page.locator(".token summary").click()
    page.get_by_role("button", name="Revoke Monthly report").click()
    expect(page.locator("#tokens")).to_contain_text("You have none.")
    assert asks(site, secret) == 401
    assert secret not in site.log("web")
    assert visitor.complaints == []
    assert visitor.requests_elsewhere == []
    visitor.context.close()


def test_the_page_fits_a_phone(browser: Browser, site: Site) -> None:
    visitor = Visitor(browser, site, "phone", **PHONE)
    page = visitor.open("/account/")
    page.get_by_text("Make a token").first.click()
    page.get_by_role("textbox", name="Name").fill("x" * 100)
    page.get_by_role("button", name="Make the token").click()
    page.locator(".token summary").click()
    assert page.evaluate(FITS)
    visitor.context.close()
