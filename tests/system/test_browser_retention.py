"""Retention in a browser, with a real worker: a policy, a dry run, a hold, and a person erased."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.fakes.process import FakeOpenAI
from tests.system.browser import EVERYTHING, FITS, PHONE, Visitor, faults
from tests.system.conftest import running_site
from tests.system.site import Site

REASON = "Request 12"
WAIT = 30_000  # for the worker


@pytest.fixture(scope="module")
def kept(openai: FakeOpenAI) -> Iterator[Site]:
    """A site of its own: elsewhere others have said things long ago too."""
    with running_site(os.environ["DATABASE_URL"], openai) as site:
        yield site


@pytest.fixture
def admin(browser: Browser, kept: Site) -> Iterator[Visitor]:
    visitor = Visitor(browser, kept, "admin")
    yield visitor
    visitor.context.close()


def check(page: Page) -> None:
    """Nothing is wider than the screen, and axe finds nothing."""
    assert page.evaluate(FITS)
    assert faults(page, EVERYTHING) == []


def test_a_policy_is_counted_a_person_held_and_then_erased(kept: Site, browser: Browser, admin: Visitor) -> None:
    person = kept.sign_in("leaver")
    conversation, answer = person.begin("What about the umbrella?")
    kept.wait_until_ended(answer)
    page = admin.open("/admin/records/retentionpolicy/add/")
    page.get_by_label("Name:").fill("Ten days")
    page.get_by_label("Days:").fill("10")
    page.get_by_label("Enabled").check()
    page.get_by_role("button", name="Save", exact=True).click()
    kept.sql(
        "UPDATE conversations_conversation SET last_activity_at = now() - interval '11 days' WHERE id = %s",
        conversation,
    )
    page.get_by_role("button", name="Make a dry run").click()
    expect(page.get_by_role("heading", name="Policies, counted only: done")).to_be_visible(timeout=WAIT)
    expect(page.get_by_role("row", name="Conversations 1")).to_be_visible()
    check(page)

    page.goto("/admin/records/legalhold/add/")
    page.get_by_label("Person").fill("leaver")
    page.get_by_label("Reason").fill(REASON)
    check(page)
    page.get_by_role("button", name="Place the hold").click()
    expect(page.get_by_text("all conversations of this person stay")).to_be_visible()
    hold = page.url

    (number,) = kept.sql("SELECT id FROM accounts_user WHERE username = 'leaver'")[0]
    page.goto(f"/admin/accounts/user/{number}/change/")
    page.get_by_role("link", name="Erase").click()
    expect(page.get_by_role("alert")).to_contain_text("A hold is in force: ")
    expect(page.get_by_role("button", name="Erase leaver")).to_have_count(0)
    page.goto(hold)
    page.get_by_label("Why it is lifted").fill("Closed")
    page.get_by_role("button", name="Lift the hold").click()
    expect(page.get_by_role("heading", name="Lifted")).to_be_visible()
    check(page)

    page.goto(f"/admin/records/retentionrun/erase/{number}/")
    page.get_by_label("Their username").fill("leaver")
    page.get_by_label("Reason").fill(REASON)
    check(page)
    page.get_by_role("button", name="Erase leaver").click()
    expect(page.get_by_text(f"Erasure of person number {number}: done")).to_be_visible(timeout=WAIT)
    assert person.request("GET", "/conversations/")[0] == 302
    assert kept.sql("SELECT username FROM accounts_user WHERE id = %s", number) == [(f"erased-{number}",)]
    assert kept.sql("SELECT count(*) FROM conversations_conversation WHERE owner_id = %s", number) == [(0,)]
    with page.expect_download() as report:
        page.get_by_role("link", name="Report as JSON").click()
    told = json.loads(report.value.path().read_text())
    assert [tombstone["conversation_id"] for tombstone in told["tombstones"]] == [conversation]
    page.get_by_role("link", name="Tombstones of this run").click()
    expect(page.get_by_role("link", name=conversation)).to_be_visible()
    page.goto("/admin/records/retentionrun/")
    check(page)
    on_phone(browser, kept, [hold, f"/admin/records/retentionrun/erase/{number}/"])
    assert (admin.complaints, admin.requests_elsewhere) == ([], [])


def on_phone(browser: Browser, site: Site, addresses: list[str]) -> None:
    """These pages fit a phone's screen."""
    phone = Visitor(browser, site, "admin", **PHONE)
    page = phone.open(addresses[0])
    for address in addresses:
        page.goto(address)
        assert page.evaluate(FITS), address
    phone.context.close()
