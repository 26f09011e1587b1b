"""The search in Chromium: by keys alone, with a clear answer to everything, exported from, and without scripts."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, expect

from tests.system.browser import Visitor
from tests.system.filled import fill
from tests.system.site import Site, marker, wait_for

INDEXED = "SELECT count(*) = 0 FROM conversations_message WHERE search_vector IS NULL AND status = 'completed'"


def test_what_was_said_is_found_by_keys_alone_and_opened_where_it_stands(browser: Browser, site: Site) -> None:
    person = site.sign_in("finder")
    conversation, answer = person.begin("harbour " + marker(text="The zeppelin is **moored** at the north quay."))
    assert site.wait_until_ended(answer)["status"] == "completed"
    wait_for(lambda: site.sql(INDEXED)[0][0], what="the words of the messages")
    visitor = Visitor(browser, site, "finder")
    page = visitor.open(f"/conversations/{conversation}/")
    page.wait_for_load_state()
    page.locator("h1").focus()
    page.keyboard.press("/")
    expect(page.get_by_label("Search your conversations")).to_be_focused()
    page.keyboard.type("moored zeppelins")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/conversations/find/"))
    expect(page.locator("mark").first).to_have_text("zeppelin")
    page.keyboard.press("/")
    expect(page.get_by_label("Search titles, messages and files")).to_be_focused()
    page.locator(f"a.line-title[href*='{answer}']").focus()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(f"at={answer}#message-{answer}"))
    expect(page.locator(f"#message-{answer}")).to_be_in_viewport()
    assert visitor.complaints == []
    assert visitor.requests_elsewhere == []
    visitor.context.close()


@pytest.mark.parametrize("length", [3_000, 10_000, 100_000])
def test_a_search_that_is_too_long_gets_a_clear_answer(site: Site, length: int) -> None:
    status, body, _ = site.sign_in("babbler").request("GET", f"/conversations/find/?q={'x' * length}")
    assert status in (400, 414, 422)
    assert status != 422 or "characters; at most" in body
    assert body


def test_what_is_pasted_into_the_search_gets_a_clear_answer(browser: Browser, site: Site) -> None:
    visitor = Visitor(browser, site, "babbler")
    page = visitor.open("/conversations/")
    for text, told in (("x", "at most 300 can"), ("字", "at most 300 can"), ("😀", "There is no word in this")):
        page.locator("[type=search]").focus()
        page.keyboard.insert_text(text * 10_000)
        page.keyboard.press("Enter")
        page.wait_for_url(re.compile("/conversations/find/"))
        expect(page.get_by_role("alert")).to_contain_text(told)
        page.locator("[type=search]").fill("")
    visitor.context.close()


def test_a_selection_is_exported(browser: Browser, site: Site) -> None:
    fill(site, "chooser", 60)
    visitor = Visitor(browser, site, "chooser")
    page = visitor.open("/conversations/find/")
    page.wait_for_load_state()
    expect(page.get_by_role("button", name="Export all")).to_be_visible()
    page.get_by_label("Select Line 2", exact=True).check()
    page.get_by_label("Select Line 3", exact=True).check()
    expect(page.locator("#selection-count")).to_have_text("2 selected")
    expect(page.get_by_role("button", name="Export all")).to_be_hidden()
    page.get_by_label("Format").select_option("csv")
    with page.expect_download() as download:
        page.get_by_role("button", name="Export selected").click()
    text = download.value.path().read_text(encoding="utf-8-sig")
    assert "Line 2 holds umbrellas" in text
    assert "Line 3 holds umbrellas" in text
    assert "Line 4 holds" not in text

    page.locator("#line-more").scroll_into_view_if_needed()
    expect(page.locator("a.line-title")).to_have_count(60)
    expect(page.locator("#selection-count")).to_have_text("2 selected")
    page.get_by_label("Select all that are shown").check()
    expect(page.locator("#selection-count")).to_have_text("60 selected")
    page.get_by_label("Select all that are shown").uncheck()
    expect(page.get_by_role("button", name="Export all")).to_be_visible()
    assert visitor.complaints == []
    visitor.context.close()


def test_the_search_works_without_scripts_on_a_phone(browser: Browser, site: Site) -> None:
    fill(site, "plain finder", 60)
    wait_for(lambda: site.sql(INDEXED)[0][0], what="the words of the messages")
    phone = {"viewport": {"width": 390, "height": 800}, "has_touch": True, "is_mobile": True}
    visitor = Visitor(browser, site, "plain finder", java_script_enabled=False, **phone)
    page = visitor.open("/conversations/")
    page.get_by_label("Show conversations").click()
    page.get_by_label("Search your conversations").fill("umbrella")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/conversations/find/"))
    assert page.locator("a.line-title").count() == 20
    page.get_by_role("link", name="More").click()
    assert page.locator("a.line-title").count() == 20
    page.get_by_role("link", name="Back to the first page").click()
    page.get_by_label("Search titles, messages and files").fill("")
    page.get_by_label("Assistant").select_option(label="General assistant")
    page.get_by_role("button", name="Search").click()
    assert page.locator("a.line-title").count() == 50
    page.get_by_role("link", name="More").click()
    assert page.locator("a.line-title").count() == 10
    page.get_by_role("checkbox").first.check()
    with page.expect_download() as download:
        page.get_by_role("button", name="Export selected").click()
    assert download.value.suggested_filename.endswith(".md")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    visitor.context.close()
