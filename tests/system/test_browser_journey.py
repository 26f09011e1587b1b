"""What people do, in Chromium: sign in, ask, see it stream, reload in the middle, stop, retry, and without scripts."""

import re

from playwright.sync_api import Browser, Page, expect

from tests.fakes.process import FakeOpenAI
from tests.system.browser import ANSWER, CONVERSATION, Visitor, ask
from tests.system.calls import answer_calls
from tests.system.site import Site, marker, wait_for


def answer_id(page: Page) -> str:
    return (page.locator(ANSWER).last.get_attribute("id") or "").removeprefix("message-")


def test_sign_in_ask_and_see_the_answer_stream(browser: Browser, site: Site) -> None:
    page = browser.new_context(base_url=site.url).new_page()
    page.goto("/")
    page.get_by_label("User name or e-mail").fill("admin")
    page.get_by_label("Password", exact=True).fill("a long pass phrase")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/conversations/$"))  # loaded, scripts and all
    text = "First paragraph.\n\n```python\nprint('hello')\n```\n\n" + "\n\n".join(f"Line {n}." for n in range(40))

    ask(page, "journey " + marker(text=text, delay_ms=40))

    page.wait_for_url(CONVERSATION)
    expect(page.locator(ANSWER)).to_contain_text("First paragraph.")
    expect(page.locator(ANSWER)).to_have_attribute("data-status", re.compile("queued|streaming"))
    expect(page.locator(ANSWER)).to_contain_text("Line 39.", timeout=20_000)
    expect(page.locator(ANSWER)).to_have_attribute("data-status", "completed")
    expect(page.locator(f"{ANSWER} .code-language")).to_have_text("python")
    paragraphs = page.locator(f"{ANSWER} .blocks > p").all_inner_texts()
    assert paragraphs == ["First paragraph.", *[f"Line {n}." for n in range(40)]]
    assert site.message(answer_id(page))["text"] == text
    page.context.close()


def test_a_follow_up_is_appended_without_a_page_load_and_the_composer_is_fresh(browser: Browser, site: Site) -> None:
    visitor = Visitor(browser, site, "follow-up")
    page = visitor.open("/conversations/")
    ask(page, "one " + marker(text="The first answer."))
    expect(page.locator(ANSWER)).to_have_attribute("data-status", "completed")
    page.evaluate("window.sameePage = true")

    ask(page, "two " + marker(text="The second answer."))

    expect(page.locator(ANSWER)).to_have_count(2)
    expect(page.locator(ANSWER).last).to_contain_text("The second answer.")
    expect(page.get_by_label("Message")).to_have_value("")
    assert page.evaluate("window.sameePage")
    assert visitor.complaints == []
    assert visitor.requests_elsewhere == []
    visitor.context.close()


def test_c2_a_reload_in_the_middle_goes_on_where_it_was(browser: Browser, site: Site, openai: FakeOpenAI) -> None:
    visitor = Visitor(browser, site, "reloader")
    page = visitor.open("/conversations/")
    text = "\n\n".join(f"Line {n}." for n in range(60))
    ask(page, "reload-browser " + marker(text=text, delay_ms=40))
    page.wait_for_url(CONVERSATION)
    for line in (3, 12, 25):
        expect(page.locator(ANSWER)).to_contain_text(f"Line {line}.")
        page.reload()
    second_tab = visitor.open(page.url)

    for tab in (page, second_tab):
        expect(tab.locator(ANSWER)).to_have_attribute("data-status", "completed", timeout=20_000)
        assert tab.locator(f"{ANSWER} .blocks > p").all_inner_texts() == text.split("\n\n")
    assert len(answer_calls(openai, "reload-browser")) == 1
    visitor.context.close()


def test_stop_by_key_keeps_the_text_and_retry_makes_a_new_answer(browser: Browser, site: Site) -> None:
    visitor = Visitor(browser, site, "stopper")
    page = visitor.open("/conversations/")
    ask(page, "stop-browser " + marker(tokens=600, delay_ms=40))
    page.wait_for_url(CONVERSATION)
    page.wait_for_selector(f"{ANSWER} .open-block :text-matches('\\\\w')")
    first = answer_id(page)

    page.keyboard.press("Escape")

    expect(page.locator(ANSWER)).to_have_attribute("data-status", "stopped")
    kept = site.message(first)
    assert kept["status"] == "stopped"
    assert kept["text"]
    page.get_by_role("button", name="Retry").first.click()
    expect(page.locator(ANSWER)).to_have_attribute("data-status", re.compile("queued|streaming"))
    assert answer_id(page) != first
    page.get_by_role("button", name="Stop the answer").click()
    expect(page.locator(ANSWER)).to_have_attribute("data-status", "stopped")
    assert site.message(first) == kept
    assert visitor.complaints == []
    visitor.context.close()


def test_c10_without_scripts_one_can_send_read_stop_and_retry(browser: Browser, site: Site) -> None:
    visitor = Visitor(browser, site, "scriptless", java_script_enabled=False)
    page = visitor.open("/conversations/")
    page.get_by_label("Message").fill("scriptless " + marker(tokens=250, delay_ms=40))
    page.get_by_role("button", name="Send").click()
    page.wait_for_url(CONVERSATION)
    site.wait_for_text(answer_id(page), 20)
    page.reload()
    assert page.locator(f"{ANSWER} .blocks").first.inner_text() or page.locator(f"{ANSWER} .open-block").inner_text()
    page.get_by_role("button", name="Stop the answer").click()
    expect(page.locator(ANSWER)).to_have_attribute("data-status", "stopped")
    page.get_by_role("button", name="Retry").first.click()
    expect(page.locator(ANSWER)).to_have_attribute("data-status", re.compile("queued|streaming"))
    # The page reloads itself until the answer has ended.
    expect(page.locator(ANSWER)).to_have_attribute("data-status", "completed", timeout=30_000)
    visitor.context.close()


def test_c4_a_double_click_makes_one_conversation(browser: Browser, site: Site) -> None:
    visitor = Visitor(browser, site, "double-clicker")
    page = visitor.open("/conversations/")
    page.get_by_label("Message").fill("double-click " + marker(text="Once."))
    page.get_by_role("button", name="Send").dblclick()
    page.wait_for_url(CONVERSATION)
    expect(page.locator(ANSWER)).to_contain_text("Once.")
    page.go_back()
    page.go_forward()
    made = site.sql("SELECT count(*) FROM conversations_message WHERE text LIKE 'double-click%'")
    assert made == [(1,)]
    visitor.context.close()


def test_c6_a_link_that_was_cut_comes_back_without_a_gap(browser: Browser, site: Site) -> None:
    visitor = Visitor(browser, site, "commuter")
    page = visitor.open("/conversations/")
    text = "\n\n".join(f"Line {n}." for n in range(50))
    ask(page, "offline " + marker(text=text, delay_ms=50))
    page.wait_for_url(CONVERSATION)
    expect(page.locator(ANSWER)).to_contain_text("Line 5.")
    visitor.context.set_offline(True)
    page.wait_for_timeout(1500)
    visitor.context.set_offline(False)
    expect(page.locator(ANSWER)).to_have_attribute("data-status", "completed", timeout=30_000)
    assert page.locator(f"{ANSWER} .blocks > p").all_inner_texts() == text.split("\n\n")
    visitor.context.close()


def test_c11_a_session_that_ended_leads_to_the_sign_in_and_the_draft_is_kept(browser: Browser, site: Site) -> None:
    visitor = Visitor(browser, site, "admin")
    page = visitor.open("/conversations/")
    ask(page, "session " + marker(text="Fine."))
    expect(page.locator(ANSWER)).to_have_attribute("data-status", "completed")
    address = page.url
    site.sql("DELETE FROM django_session WHERE session_key = %s", visitor.session_key)

    ask(page, "my precious draft")

    page.wait_for_url(re.compile("/accounts/login/"))
    page.get_by_label("User name or e-mail").fill("admin")
    page.get_by_label("Password", exact=True).fill("a long pass phrase")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(re.escape(address.partition("#")[0])))
    expect(page.get_by_label("Message")).to_have_value("my precious draft")
    visitor.context.close()


def test_a_send_while_an_answer_runs_is_refused_and_the_text_stays(browser: Browser, site: Site) -> None:
    visitor = Visitor(browser, site, "hurried")
    page = visitor.open("/conversations/")
    ask(page, "hurry " + marker(tokens=600, delay_ms=40))
    page.wait_for_url(CONVERSATION)
    ask(page, "and another thing")
    expect(page.get_by_text("An answer is being written.")).to_be_visible()
    expect(page.get_by_label("Message")).to_have_value("and another thing")
    page.keyboard.press("Escape")
    wait_for(lambda: site.message(answer_id(page))["status"] == "stopped")
    visitor.context.close()
