"""Webhooks as an administrator sees them, with a real worker that sends to a real listener."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.fakes.listener import Answer, Listener
from tests.fakes.process import FakeOpenAI
from tests.system.browser import EVERYTHING, FITS, PHONE, Visitor, faults_in_both_themes
from tests.system.conftest import running_site
from tests.system.site import Site, wait_for
from tests.webhooks.sent import is_signed

_CHECKED = {"rules": EVERYTHING["rules"] | {"label-title-only": {"enabled": False}}}  # the search of Django's lists


@pytest.fixture(scope="module")
def told(openai: FakeOpenAI) -> Iterator[Site]:
    """A site that may send to this machine."""
    extra = {"WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8"}
    with running_site(os.environ["DATABASE_URL"], openai, extra) as site:
        yield site


def check(page: Page, name: str) -> None:
    """Nothing is wider than the screen, and axe finds nothing in either theme."""
    assert page.evaluate(FITS), name
    assert faults_in_both_themes(page, _CHECKED) == [], name


def test_an_endpoint_is_made_tried_out_and_told_of_what_is_concluded(told: Site, browser: Browser) -> None:
    with Listener() as listener:
        admin = Visitor(browser, told, "admin")
        page = admin.open("/admin/webhooks/webhookendpoint/add/")
        page.get_by_label("Name:").fill("Customer records")
        page.get_by_label("Address:").fill("https://127.0.0.1.nip.example/ hook")
        page.get_by_role("button", name="Save", exact=True).click()
        expect(page.get_by_text("Write the address without blanks")).to_be_visible()
        check(page, "refused")
        page.get_by_label("Address:").fill(listener.url)
        page.get_by_role("button", name="Save", exact=True).click()
        secret = page.locator(".webhook-secret code").inner_text()
        assert re.fullmatch(r"whsec_[A-Za-z0-9+/]{43}=", secret)
        check(page, "secret")
        page.get_by_role("link", name="Go on to the endpoint").click()
        page.get_by_role("button", name="Send a test").click()
        wait_for(lambda: listener.received, what="the test")
        assert listener.received[0].told["kind"] == "webhook.test"
        assert is_signed(listener.received[0], secret)

        listener.answers = [Answer(status=500, body=b"<b>Out of paper</b>")]
        person = told.sign_in("teller")
        conversation, answer = person.begin("What is concluded?")
        told.wait_until_ended(answer)
        assert person.request("POST", f"/conversations/{conversation}/conclude/", {})[0] == 303
        wait_for(lambda: len(listener.received) >= 2, seconds=60, what="the event")
        told.sql("UPDATE webhooks_webhookdelivery SET due_at = now()")
        wait_for(lambda: len(listener.received) >= 3, what="the event once more")
        first, again = listener.received[1:3]
        assert first.told["conversation"] == conversation
        assert (first.id, first.body) == (again.id, again.body)
        assert is_signed(again, secret)
        delivered = "SELECT count(*) FROM webhooks_webhookdelivery WHERE state = 'delivered'"
        wait_for(lambda: told.sql(delivered)[0][0] == 2, what="the note of it")

        page.reload()
        expect(page.get_by_role("heading", name="All is well")).to_be_visible()
        expect(page.get_by_text("up to event 1 of 1")).to_be_visible()
        check(page, "endpoint")
        endpoint = page.url.partition("#")[0]
        page.get_by_label("From event number").fill("1")
        page.get_by_role("button", name="Send again").click()
        expect(page.get_by_text("1 event is sent once more")).to_be_visible()
        wait_for(lambda: len(listener.received) >= 4, what="the event that was asked for")
        assert listener.received[3].id == again.id

        listener.close()
        with page.expect_navigation():
            page.get_by_role("button", name="Send a test").click()
        wait_for(lambda: told.sql("SELECT troubled_at FROM webhooks_webhookendpoint")[0][0], what="the trouble")
        page.reload()
        expect(page.get_by_role("heading", name="Away")).to_be_visible()
        expect(page.locator(".webhook-facts")).to_contain_text("No connection could be made: Connection refused.")
        check(page, "away")
        with page.expect_navigation():
            page.get_by_role("link", name="All deliveries").click()
        check(page, "log")
        with page.expect_navigation():
            page.locator("#result_list a").last.click()
        check(page, "delivery")
        page.goto("/admin/webhooks/webhookendpoint/")
        check(page, "list")
        assert admin.complaints == []
        admin.context.close()
        visitor = Visitor(browser, told, "admin", **PHONE)
        page = visitor.open(endpoint)
        check(page, "endpoint on a phone")
        page.goto("/admin/webhooks/webhookdelivery/")
        check(page, "log on a phone")
        visitor.context.close()
