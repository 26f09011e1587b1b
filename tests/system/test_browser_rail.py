"""The list of conversations in Chromium: unrolled, drawn anew, pinned, deleted and renamed."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.system.browser import CONVERSATION, Visitor
from tests.system.filled import fill
from tests.system.site import Site, marker, wait_for

LINES = "#history .rail-title"


def lines(page: Page) -> list[str]:
    return page.locator(LINES).all_inner_texts()


def look_again(page: Page) -> None:
    """Come back to the window, some seconds later."""
    page.wait_for_timeout(3_100)
    page.evaluate("dispatchEvent(new Event('focus'))")


def test_the_rail_unrolls_by_itself_to_the_beginning(browser: Browser, site: Site) -> None:
    fill(site, "rail-scroller", 130)
    visitor = Visitor(browser, site, "rail-scroller")
    page = visitor.open("/conversations/")
    assert len(lines(page)) == 50
    page.wait_for_load_state()

    def reach_the_end() -> bool:
        page.locator("#history").evaluate("list => list.scrollTo(0, list.scrollHeight)")
        return page.get_by_text("That is where it began.").count() == 1

    wait_for(reach_the_end, what="the end of the rail")
    assert lines(page) == [f"Line {number}" for number in range(1, 131)]
    headings = page.locator("#history h2").all_inner_texts()
    assert len(set(headings)) == len(headings)
    assert page.url.endswith("/conversations/")
    assert visitor.complaints == []
    assert visitor.requests_elsewhere == []
    visitor.context.close()


def test_what_happens_elsewhere_shows_when_the_window_is_looked_at_again(browser: Browser, site: Site) -> None:
    fill(site, "looker", 70)
    visitor = Visitor(browser, site, "looker")
    page = visitor.open("/conversations/")
    page.wait_for_load_state()
    page.locator("#rail-older").scroll_into_view_if_needed()
    expect(page.locator(LINES)).to_have_count(70)
    line = page.locator("#history a", has_text="Line 60")
    line.focus()
    place = page.locator("#history").evaluate("list => list.scrollTop")

    other = site.sign_in("looker")
    conversation, answer = other.begin("elsewhere " + marker(tokens=4000, delay_ms=30))
    site.wait_for_text(answer)
    look_again(page)

    running = page.locator(f"#history a[href='/conversations/{conversation}/']")
    expect(running.locator(".rail-running")).to_have_count(1)
    assert len(lines(page)) == 70
    expect(line).to_be_focused()
    assert abs(page.locator("#history").evaluate("list => list.scrollTop") - place) < 80

    site.sql("UPDATE conversations_conversation SET seen_at = now() WHERE id = %s", conversation)
    assert other.request("POST", f"/messages/{answer}/stop/", {})[0] == 303
    look_again(page)
    expect(running.locator(".rail-running")).to_have_count(0)
    expect(running).to_contain_text("there is a new answer")
    assert visitor.complaints == []

    running.click()
    page.wait_for_url(CONVERSATION)
    expect(page.locator("#history a[aria-current]")).not_to_contain_text("there is a new answer")
    visitor.context.close()


def test_the_rail_goes_on_unrolling_after_it_was_drawn_anew(browser: Browser, site: Site) -> None:
    fill(site, "unroller", 120)
    visitor = Visitor(browser, site, "unroller")
    page = visitor.open("/conversations/")
    page.wait_for_load_state()
    look_again(page)
    fill(site, "unroller", 1, title="Newest", hours=0)
    look_again(page)
    expect(page.locator(LINES).first).to_have_text("Newest 1")
    for count in (100, 121):
        page.locator("#history .rail-more").scroll_into_view_if_needed()
        expect(page.locator(LINES)).to_have_count(count)
    found = lines(page)
    assert found == ["Newest 1", *[f"Line {number}" for number in range(1, 121)]]
    visitor.context.close()


def test_an_answer_that_ends_here_has_the_rail_drawn_anew(browser: Browser, site: Site) -> None:
    visitor = Visitor(browser, site, "ender")
    page = visitor.open("/conversations/")
    page.wait_for_load_state()
    page.get_by_label("Message", exact=True).fill("Ending " + marker(text="One. " * 40, delay_ms=20))
    page.keyboard.press("Enter")
    page.wait_for_url(CONVERSATION)
    current = page.locator("#history a[aria-current]")
    expect(current.locator(".rail-running")).to_have_count(1)
    fill(site, "ender", 1, title="From elsewhere")
    expect(page.locator("article.message-assistant")).to_have_attribute("data-status", "completed")
    expect(current.locator(".rail-mark")).to_have_count(0)
    expect(page.locator(LINES).last).to_have_text("From elsewhere 1")
    expect(page.get_by_label("Message", exact=True)).to_be_focused()
    assert visitor.complaints == []
    visitor.context.close()


def test_a_conversation_is_pinned_and_unpinned_where_one_is(browser: Browser, site: Site) -> None:
    fill(site, "pinner", 5)
    visitor = Visitor(browser, site, "pinner")
    page = visitor.open("/conversations/")
    page.locator("#history a", has_text="Line 4").click()
    page.wait_for_url(CONVERSATION)
    page.wait_for_load_state()
    page.evaluate("window.samePage = true")
    page.locator(".menu summary").click()
    page.get_by_role("button", name="Pin to the top").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#rail-pinned .rail-title")).to_have_text("Line 4")
    expect(page.get_by_role("button", name="Unpin")).to_be_focused()
    expect(page.locator("#announcer")).to_have_text("Pinned")
    assert lines(page) == ["Line 4", "Line 1", "Line 2", "Line 3", "Line 5"]
    page.keyboard.press("Enter")
    expect(page.locator("#rail-pinned")).to_have_count(0)
    assert lines(page) == [f"Line {number}" for number in range(1, 6)]
    assert page.evaluate("window.samePage")
    assert visitor.complaints == []
    visitor.context.close()


@pytest.mark.parametrize("has_scripts", [True, False], ids=["scripts", "no scripts"])
def test_a_conversation_is_deleted_and_had_back(browser: Browser, site: Site, has_scripts: bool) -> None:
    name = "deleter" if has_scripts else "plain deleter"
    fill(site, name, 3)
    visitor = Visitor(browser, site, name, java_script_enabled=has_scripts)
    page = visitor.open("/conversations/")
    page.locator("#history a", has_text="Line 2").click()
    page.wait_for_url(CONVERSATION)
    address = page.url
    page.locator(".menu summary").click()
    page.get_by_role("link", name="Delete…").click()
    expect(page.get_by_role("heading", name="Delete “Line 2”?")).to_be_visible()
    page.get_by_role("link", name="Cancel").click()
    page.wait_for_url(CONVERSATION)
    assert page.locator(LINES).count() == 3

    page.goto(address + "hide/")
    page.get_by_role("button", name="Delete").click()
    page.wait_for_url(re.compile("/conversations/$"))
    assert page.locator(LINES).all_inner_texts() == ["Line 1", "Line 3"]
    page.get_by_role("link", name="You can restore it").click()
    page.get_by_role("button", name="Restore").click()
    page.wait_for_url(CONVERSATION)
    assert page.url == address.split("#")[0]
    expect(page.get_by_text("The conversation is restored.")).to_be_visible()
    assert page.locator(LINES).count() == 3
    visitor.context.close()


def test_of_two_tabs_that_rename_the_second_is_told(browser: Browser, site: Site) -> None:
    fill(site, "renamer", 1)
    visitor = Visitor(browser, site, "renamer")
    page = visitor.open("/conversations/")
    page.locator(LINES).click()
    page.wait_for_url(CONVERSATION)
    other = visitor.open(page.url)
    for tab, title in ((page, "Of the first tab"), (other, "Of the second tab")):
        tab.wait_for_load_state()
        tab.locator(".title summary").click()
        tab.get_by_label("Title").fill(title)
        tab.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Of the first tab")
    expect(page.locator(LINES)).to_have_text("Of the first tab")
    expect(other.get_by_role("alert")).to_contain_text("It was given the title “Of the first tab” meanwhile")
    expect(other.get_by_label("Title")).to_have_value("Of the second tab")
    other.get_by_role("button", name="Save").click()
    expect(other.locator("h1")).to_have_text("Of the second tab")
    visitor.context.close()
