"""Concluding in Chromium: asked first, sealed by the worker while the page waits, continued; and without scripts."""

import hashlib
import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.system.browser import ANSWER, EVERYTHING, FITS, PHONE, Visitor, faults
from tests.system.site import Site, marker

CONVERSATION = re.compile(r"/conversations/[0-9a-f-]{36}/(#latest)?$")
DARK_PHONE = PHONE | {"color_scheme": "dark"}


def begin(visitor: Visitor, prompt: str = "conclude ") -> Page:
    page = visitor.open("/conversations/")
    page.get_by_label("Message").fill(prompt + marker(text="What was said."))
    page.get_by_role("button", name="Send").click()
    page.wait_for_url(CONVERSATION)
    page.reload()  # shows the answer without scripts too
    expect(page.locator(ANSWER)).to_have_attribute("data-status", "completed", timeout=20_000)
    return page


def conclude(page: Page) -> None:
    page.get_by_label("About this conversation").click()
    page.get_by_role("link", name="Conclude…").click()
    expect(page.get_by_role("heading", name="Conclude “")).to_be_visible()
    check(page)
    page.get_by_role("button", name="Conclude").click()
    page.wait_for_url(CONVERSATION)


def check(page: Page) -> None:
    """Nothing that axe finds, and nothing wider than the window."""
    assert faults(page, EVERYTHING) == []
    assert page.evaluate(FITS)


@pytest.mark.parametrize("options", [{}, DARK_PHONE], ids=["wide", "phone"])
def test_a_conversation_is_concluded_sealed_and_continued(
    browser: Browser, site: Site, options: dict[str, object], tmp_path: Path
) -> None:
    visitor = Visitor(browser, site, f"concluder-{len(options)}", **options)
    page = begin(visitor)
    conclude(page)
    concluded = page.url.split("/")[-2]

    expect(page.locator("#seal")).to_contain_text("SHA-256", timeout=20_000)  # without a reload
    expect(page.locator(".topbar-sealed")).to_have_text("Concluded")
    expect(page.get_by_label("Message")).to_have_count(0)
    check(page)
    with page.expect_download() as downloading:
        page.get_by_role("link", name="Download the sealed document").click()
    content = downloading.value.path().read_bytes()
    ((sha256, told),) = site.sql(
        "SELECT sha256, (SELECT data->'document'->>'sha256' FROM conversations_event AS event"
        " WHERE event.conversation_id = sealed.conversation_id) FROM conversations_sealeddocument AS sealed"
        " WHERE conversation_id = %s",
        concluded,
    )
    assert hashlib.sha256(content).hexdigest() == sha256 == told
    assert json.loads(content)["messages"][-1]["text"] == "What was said."

    page.get_by_role("button", name="Continue as new conversation").click()
    page.wait_for_url(lambda url: bool(CONVERSATION.search(url)) and concluded not in url)
    expect(page.get_by_text("Continues")).to_be_visible()
    expect(page.locator(ANSWER)).to_have_text(re.compile("What was said"))
    check(page)
    page.get_by_label("Message").fill("go on " + marker(text="And more."))
    page.get_by_role("button", name="Send").click()
    expect(page.locator(ANSWER)).to_have_count(2)
    expect(page.locator(ANSWER).last).to_contain_text("And more.")
    assert visitor.complaints == []
    assert visitor.requests_elsewhere == []
    visitor.context.close()


def test_c4_a_double_click_makes_one_continuation(browser: Browser, site: Site) -> None:
    visitor = Visitor(browser, site, "double-continuer")
    page = begin(visitor)
    conclude(page)
    concluded = page.url.split("/")[-2]
    page.get_by_role("button", name="Continue as new conversation").dblclick()
    page.wait_for_url(lambda url: bool(CONVERSATION.search(url)) and concluded not in url)
    ((count,),) = site.sql("SELECT count(*) FROM conversations_conversation WHERE continued_from_id = %s", concluded)
    assert count == 1
    visitor.context.close()


def test_without_scripts_it_is_concluded_and_continued_all_the_same(browser: Browser, site: Site) -> None:
    visitor = Visitor(browser, site, "plain-concluder", java_script_enabled=False)
    page = begin(visitor)
    page.get_by_label("About this conversation").click()
    page.get_by_role("link", name="Conclude…").click()
    page.get_by_role("button", name="Conclude").click()
    page.wait_for_url(CONVERSATION)
    expect(page.get_by_text("This conversation is concluded.")).to_be_visible()
    page.get_by_role("button", name="Continue as new conversation").click()
    expect(page.get_by_text("Continues")).to_be_visible()
    visitor.context.close()
