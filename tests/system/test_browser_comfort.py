"""What makes it pleasant, in Chromium: reading back, drafts, ratings, the tab's title, notices, keys and paper."""

import io
import re
import unicodedata
from urllib.request import urlopen

from playwright.sync_api import Browser, Page, Route, expect
from pypdf import PdfReader

from tests.system.browser import ANSWER, CONVERSATION, Visitor, ask
from tests.system.site import Site, marker, wait_for

FROM_END = "document.documentElement.scrollHeight - innerHeight - scrollY"
LINES = "\n\n".join(f"Line {number} of a long answer." for number in range(100))
# Chromium without a window takes every tab for a visible one.
SHOW = """(isHidden) => {
  Object.defineProperty(document, "hidden", { value: isHidden, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}"""
HEAR = """() => {
  window.told = [];
  const announcer = document.getElementById("announcer");
  const hear = () => announcer.textContent && told.push(announcer.textContent);
  new MutationObserver(hear).observe(announcer, { childList: true });
}"""


def answered(site: Site, name: str, prompt: str) -> tuple[str, str]:
    """A conversation with an answer that has ended: the address of its page, and the answer's id."""
    conversation, answer = site.sign_in(name).begin(prompt)
    site.wait_until_ended(answer)
    return f"/conversations/{conversation}/", answer


def wait_for_more(page: Page, characters: int = 300) -> None:
    """Wait until the last answer has grown."""
    length = "answer => answer.textContent.length"  # which, other than the inner text, needs no layout
    before = page.locator(ANSWER).last.evaluate(length)
    wait_for(lambda: page.locator(ANSWER).last.evaluate(length) > before + characters, what="more text")


def test_the_page_follows_at_the_end_and_stays_put_for_who_reads_back(browser: Browser, site: Site) -> None:
    visitor = Visitor(browser, site, "scroller", reduced_motion="reduce")
    page = visitor.open("/conversations/")
    ask(page, "scroll " + marker(text=LINES, delay_ms=15))
    page.wait_for_url(CONVERSATION)
    wait_for(lambda: page.evaluate("scrollY") > 300, what="scrolling along")
    wait_for_more(page)
    assert page.evaluate(FROM_END) < 48
    expect(page.locator("#jump")).to_be_hidden()

    page.mouse.move(640, 300)
    page.mouse.wheel(0, -500)
    wait_for(lambda: page.evaluate(FROM_END) > 400, what="reading back")
    line = page.get_by_text("Line 5 of").first
    before = (page.evaluate("scrollY"), line.bounding_box())
    wait_for_more(page)
    assert (page.evaluate("scrollY"), line.bounding_box()) == before

    page.get_by_role("button", name="Jump to latest").click()
    expect(page.locator("#jump")).to_be_hidden()
    wait_for_more(page)
    page.keyboard.press("Escape")
    expect(page.locator(ANSWER)).to_have_attribute("data-status", "stopped")
    assert page.evaluate(FROM_END) < 48
    assert visitor.complaints == []
    visitor.context.close()


def test_who_reads_back_when_the_answer_ends_stays_where_they_are(browser: Browser, site: Site) -> None:
    visitor = Visitor(browser, site, "reader", reduced_motion="reduce")
    page = visitor.open("/conversations/")
    ask(page, "read back " + marker(text=LINES, delay_ms=5))
    page.wait_for_url(CONVERSATION)
    wait_for(lambda: page.evaluate("scrollY") > 600, what="scrolling along")
    page.mouse.move(640, 300)
    page.mouse.wheel(0, -400)
    wait_for(lambda: page.evaluate(FROM_END) > 300, what="reading back")
    at = page.evaluate("scrollY")
    expect(page.locator(ANSWER)).to_have_attribute("data-status", "completed", timeout=20_000)
    page.wait_for_timeout(300)
    assert page.evaluate("scrollY") == at
    expect(page.locator("#jump")).to_be_visible()
    visitor.context.close()


def test_drafts_survive_a_reload_each_in_its_place(browser: Browser, site: Site) -> None:
    address, _ = answered(site, "drafter", "drafts " + marker(text="Fine."))
    visitor = Visitor(browser, site, "drafter")
    page = visitor.open(address)
    page.get_by_label("Message").fill("half a thought\nand a half")
    page.goto("/conversations/")
    page.get_by_label("Message").fill("something new")
    for _ in range(2):
        page.reload()
        expect(page.get_by_label("Message")).to_have_value("something new")
        page.goto(address)
        expect(page.get_by_label("Message")).to_have_value("half a thought\nand a half")
        page.goto("/conversations/")
    page.goto(address)
    page.get_by_role("button", name="Send").click()
    expect(page.locator(ANSWER)).to_have_count(2)
    page.reload()
    expect(page.get_by_label("Message")).to_have_value("")
    visitor.context.close()


def test_a_rating_is_given_explained_and_taken_back_without_losing_ones_place(browser: Browser, site: Site) -> None:
    address, answer = answered(site, "rater", "rate me " + marker(text="An answer."))
    visitor = Visitor(browser, site, "rater")
    page = visitor.open(address)
    good, bad = page.get_by_role("button", name="Good answer"), page.get_by_role("button", name="Bad answer")

    bad.click()
    expect(bad).to_have_attribute("aria-pressed", "true")
    expect(bad).to_be_focused()
    page.get_by_label("What was wrong with it?").fill("It is too short.")
    page.get_by_role("button", name="Keep the reason").click()
    expect(page.get_by_text("Your reason")).to_be_focused()
    given = "SELECT rating, reason FROM conversations_feedback WHERE message_id = %s"
    assert site.sql(given, answer) == [("down", "It is too short.")]

    page.reload()
    expect(bad).to_have_attribute("aria-pressed", "true")
    good.focus()
    page.keyboard.press("Space")
    expect(good).to_have_attribute("aria-pressed", "true")
    expect(bad).to_have_attribute("aria-pressed", "false")
    assert site.sql(given, answer) == [("up", "")]
    page.keyboard.press("Enter")
    expect(good).to_have_attribute("aria-pressed", "false")
    expect(good).to_be_focused()
    assert site.sql(given, answer) == []
    assert visitor.complaints == []
    visitor.context.close()


def test_c10_without_scripts_an_answer_can_be_rated(browser: Browser, site: Site) -> None:
    address, answer = answered(site, "scriptless-rater", "rate " + marker(text="An answer."))
    visitor = Visitor(browser, site, "scriptless-rater", java_script_enabled=False)
    page = visitor.open(address)
    page.get_by_role("button", name="Good answer").click()
    page.get_by_text("Say why").click()
    page.get_by_label("What was good about it?").fill("Short.")
    page.get_by_role("button", name="Keep the reason").click()
    expect(page.get_by_text("Your reason")).to_be_visible()
    assert site.sql("SELECT rating, reason FROM conversations_feedback WHERE message_id = %s", answer) == [
        ("up", "Short.")
    ]
    visitor.context.close()


def test_an_end_is_seen_when_it_was_on_the_screen(browser: Browser, site: Site) -> None:
    address, answer = answered(site, "seer", "see me " + marker(text=LINES))
    prompt = site.sql("SELECT parent_id FROM conversations_message WHERE id = %s", answer)[0][0]

    def seen_at() -> object:
        return site.sql("SELECT seen_at FROM conversations_conversation WHERE id = %s", address.split("/")[2])[0][0]

    visitor = Visitor(browser, site, "seer", reduced_motion="reduce")
    page = visitor.open(f"{address}#message-{prompt}")
    page.wait_for_timeout(500)
    assert seen_at() is None  # the page stands at its beginning
    page.get_by_role("button", name="Jump to latest").click()
    first = wait_for(seen_at, what="the note")
    ask(page, "and once more " + marker(text="Short.", delay_ms=50))
    expect(page.locator(ANSWER).last).to_have_attribute("data-status", "completed")
    wait_for(lambda: seen_at() != first, what="the second note")
    assert visitor.complaints == []
    visitor.context.close()


def test_the_tab_is_marked_when_an_answer_ends_out_of_sight(browser: Browser, site: Site) -> None:
    visitor = Visitor(browser, site, "tabber")
    page = visitor.open("/conversations/")
    ask(page, "elsewhere " + marker(tokens=200, delay_ms=40))
    page.wait_for_url(CONVERSATION)
    expect(page.locator(f"{ANSWER} .blocks").last).to_contain_text(re.compile(r"\w"))
    page.evaluate(HEAR)
    page.evaluate(SHOW, True)
    answer = (page.locator(ANSWER).get_attribute("id") or "").removeprefix("message-")
    assert not page.title().startswith("●")
    site.wait_until_ended(answer)
    expect(page).to_have_title(re.compile("^● "), timeout=12_000)
    seen = "SELECT seen_at FROM conversations_conversation WHERE current_leaf_id = %s"
    assert site.sql(seen, answer) == [(None,)]

    page.evaluate(SHOW, False)

    expect(page).to_have_title(re.compile("^[^●]"))
    expect(page.locator(ANSWER)).to_have_attribute("data-status", "completed")
    wait_for(lambda: site.sql(seen, answer) != [(None,)], what="the note")
    assert page.evaluate("told") == ["Answer finished"]
    assert not page.title().startswith("●")
    visitor.context.close()


def test_each_end_is_told_once_through_a_retry_and_a_second_answer(browser: Browser, site: Site) -> None:
    visitor = Visitor(browser, site, "listener")
    page = visitor.open("/conversations/")
    ask(page, "listen " + marker(tokens=400, delay_ms=30))
    page.wait_for_url(CONVERSATION)
    page.evaluate(HEAR)
    expect(page.locator(f"{ANSWER} .blocks").last).to_contain_text(re.compile(r"\w"))
    page.keyboard.press("Escape")
    expect(page.locator(ANSWER)).to_have_attribute("data-status", "stopped")
    page.get_by_role("button", name="Retry").first.click()
    expect(page.locator(ANSWER)).to_have_attribute("data-status", re.compile("queued|streaming"))
    page.get_by_role("button", name="Stop the answer").click()
    expect(page.locator(ANSWER)).to_have_attribute("data-status", "stopped")
    ask(page, "and then " + marker(text="Two. " * 20, delay_ms=10))
    expect(page.locator(ANSWER).last).to_have_attribute("data-status", "completed")
    page.wait_for_timeout(500)
    assert page.evaluate("told") == ["Answer stopped", "Answer stopped", "Answer finished"]
    visitor.context.close()


def test_a_notice_that_was_closed_stays_closed(browser: Browser, site: Site) -> None:
    address, _ = answered(site, "closer", "notice " + marker(text="Done."))
    site.sql("UPDATE conversations_languagemodel SET shutdown_date = current_date + 10 WHERE name = 'gpt-4o'")
    visitor = Visitor(browser, site, "closer")
    page = visitor.open("/conversations/")
    expect(page.locator(".notice:visible")).to_have_count(1)  # of the chosen assistant alone
    page.goto(address)
    page.get_by_role("button", name="Close this notice").click()
    expect(page.get_by_label("Message")).to_be_focused()
    for place in (address, "/conversations/"):
        page.goto(place)
        expect(page.locator(".notice:visible")).to_have_count(0)
    site.sql("UPDATE conversations_languagemodel SET shutdown_date = current_date - 1 WHERE name = 'gpt-4o'")
    page.goto(address)
    expect(page.locator(".notice:visible")).to_contain_text("was switched off")
    site.sql("UPDATE conversations_languagemodel SET shutdown_date = NULL WHERE name = 'gpt-4o'")
    visitor.context.close()


def test_a_conversation_is_printed_with_who_said_what_and_without_what_can_only_be_pressed(
    browser: Browser, site: Site
) -> None:
    text = "See the [list](https://docs.example.org/ways).\n\n```python\n" + "x = 1; " * 60 + "last = 2\n```"
    address, _ = answered(site, "printer", "Which ways? " + marker(text=text))
    site.sql("UPDATE accounts_user SET first_name = 'Olive', last_name = 'Owner' WHERE username = 'printer'")
    visitor = Visitor(browser, site, "printer", color_scheme="dark")
    page = visitor.open(address)
    page.evaluate("window.print = () => { window.printed = true }")
    page.locator(".menu summary").click()
    page.get_by_role("button", name="Print").click()
    assert page.evaluate("window.printed")
    pdf = PdfReader(io.BytesIO(page.pdf(format="A4")))
    drawn = " ".join(sheet.extract_text() for sheet in pdf.pages)
    printed = " ".join(unicodedata.normalize("NFKC", drawn).split())  # a font may draw "ff" as one sign
    for words in (address.split("/")[2], "Olive Owner", "General assistant", "Begun", "Last activity", "Printed"):
        assert words in printed
    assert "list (https://docs.example.org/ways)" in printed
    assert "last = 2" in printed  # the line is wrapped, not cut off
    for words in ("New conversation", "Kept on record", "Copy", "Attach files", "tokens"):
        assert words not in printed
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    visitor.context.close()


def test_a_first_visit_asks_for_few_files(browser: Browser, site: Site) -> None:
    visitor = Visitor(browser, site, "first-visit")
    asked: list[str] = []
    visitor.context.on("request", lambda request: asked.append(request.url.removeprefix(site.url)))
    visitor.open("/conversations/").wait_for_load_state()
    assert len([path for path in asked if path.endswith((".css", ".js"))]) == 5, asked
    assert visitor.complaints == []
    visitor.context.close()


def test_a_script_that_fails_leaves_the_others_running_and_is_complained_of(browser: Browser, site: Site) -> None:
    visitor = Visitor(browser, site, "broken-script")

    def break_first(route: Route) -> None:
        whole = urlopen(route.request.url, timeout=10).read().decode()
        broken = whole.replace("try {\n", "try {\nthrow Error('broken');\n", 1)
        route.fulfill(content_type="text/javascript", body=broken)

    visitor.context.route(re.compile(r"/static/js/app\."), break_first)
    page = visitor.open("/conversations/")
    ask(page, "a question " + marker(text="An answer."))
    expect(page.locator(ANSWER)).to_contain_text("An answer.")
    assert any("broken" in complaint for complaint in visitor.complaints)
    visitor.context.close()
