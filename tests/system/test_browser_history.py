"""The list of conversations and the search, in Chromium: unrolled, drawn anew, sorted out, searched, exported."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.system.browser import Visitor, chromium
from tests.system.site import Site, marker, wait_for

LINES = "#history .rail-title"
CONVERSATION = re.compile(r"/conversations/[0-9a-f-]{36}/")
ROWS = """
WITH made AS (
    INSERT INTO conversations_conversation (id, owner_id, assistant_id, title, is_title_provisional, state, created_at,
        last_activity_at, concluded_by)
    SELECT gen_random_uuid(), person.id, (SELECT min(id) FROM conversations_assistant), %s || ' ' || number, false,
        'open', now(), now() - make_interval(hours => number * %s), ''
    FROM accounts_user AS person, generate_series(1, %s) AS number WHERE username = %s
    RETURNING id, owner_id, title
)
INSERT INTO conversations_message (id, conversation_id, owner_id, role, status, text, activity, attempt, error_code,
    error_text, created_at)
SELECT gen_random_uuid(), id, owner_id, 'user', 'completed', title || ' holds umbrellas', '', 0, '', '', now()
FROM made
"""
LEAVES = """
UPDATE conversations_conversation AS conversation SET current_leaf_id = message.id
FROM conversations_message AS message
WHERE message.conversation_id = conversation.id AND conversation.current_leaf_id IS NULL
"""
INDEXED = "SELECT count(*) = 0 FROM conversations_message WHERE search_vector IS NULL AND status = 'completed'"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


def fill(site: Site, username: str, count: int, *, title: str = "Line", hours: int = 9) -> None:
    """Give a person conversations of one prompt each."""
    site.sign_in(username)
    site.sql(ROWS, title, hours, count, username)
    site.sql(LEAVES)


def lines(page: Page) -> list[str]:
    return page.locator(LINES).all_inner_texts()


def look_again(page: Page) -> None:
    """Come back to the window, some seconds later."""
    page.wait_for_timeout(3_100)
    page.evaluate("dispatchEvent(new Event('focus'))")


def test_the_rail_unrolls_by_itself_to_the_beginning(browser: Browser, site: Site) -> None:
    fill(site, "scroller", 130)
    visitor = Visitor(browser, site, "scroller")
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
