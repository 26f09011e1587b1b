"""Versions as people make and read them, in Chromium: edit, switch, ask somebody else, go on with what was cut off."""

from __future__ import annotations

import re

from playwright.sync_api import Browser, Page, expect

from tests.fakes.process import FakeOpenAI
from tests.system.browser import ANSWER, PHONE, PROMPT, Visitor, ask, faults, faults_in_both_themes, press
from tests.system.calls import answer_calls
from tests.system.site import Site, marker, wait_for


def begin(page: Page, *texts: str) -> None:
    """Have a conversation with these answers."""
    for number, text in enumerate(texts, 1):
        ask(page, f"prompt {number} " + marker(text=text))
        expect(page.locator(ANSWER)).to_have_count(number)
        expect(page.locator(ANSWER).last).to_have_attribute("data-status", "completed")


def shown(page: Page) -> list[str]:
    return [text.split(" [[")[0] for text in page.locator(".prompt, .answer").all_inner_texts()]


def test_edit_and_branch_switch_and_go_on_from_a_version(browser: Browser, site: Site) -> None:
    visitor = Visitor(browser, site, "brancher", reduced_motion="reduce")
    page = visitor.open("/conversations/")
    begin(page, "Answer one.", "Answer two.")

    press(page.locator(PROMPT).first, "Edit")
    editor = page.get_by_role("form", name="Edit your message")
    expect(editor.get_by_label("Your message", exact=True)).to_be_focused()
    found = {"editor": faults_in_both_themes(page)}
    editor.get_by_label("Your message", exact=True).fill("prompt one, anew " + marker(text="Answer three."))
    editor.get_by_role("button", name="Send").click()

    expect(page.locator(ANSWER)).to_have_count(1)
    expect(page.locator(ANSWER)).to_contain_text("Answer three.")
    expect(page.locator(ANSWER)).to_have_attribute("data-status", "completed")
    switch = page.get_by_role("group", name="Version 2 of 2")
    expect(switch).to_be_visible()
    switch.get_by_role("link", name="Previous version").click()

    expect(page.locator(ANSWER)).to_have_count(2)
    assert shown(page) == ["prompt 1", "Answer one.", "prompt 2", "Answer two."]
    expect(page.get_by_text("You are looking at another version")).to_be_visible()
    found["another version"] = faults_in_both_themes(page)
    page.evaluate("window.samePage = true")
    ask(page, "prompt 3 " + marker(text="Answer four."))
    expect(page.locator(ANSWER)).to_have_count(3)
    expect(page.locator(ANSWER).last).to_contain_text("Answer four.")
    expect(page.get_by_text("You are looking at another version")).to_have_count(0)
    assert page.evaluate("window.samePage")
    page.goto(page.url.partition("?")[0])
    assert shown(page) == ["prompt 1", "Answer one.", "prompt 2", "Answer two.", "prompt 3", "Answer four."]
    assert found == {"editor": [], "another version": []}
    assert visitor.complaints == []
    visitor.context.close()


def test_ask_again_in_place_and_with_another_model(browser: Browser, site: Site, openai: FakeOpenAI) -> None:
    site.sql(
        "INSERT INTO conversations_languagemodel (name, label, context_window, max_output_tokens, accepts_images,"
        " accepts_files, tools, is_local, is_enabled, is_offered) SELECT 'gpt-other', 'The other model',"
        " context_window, max_output_tokens, false, false, '[]', is_local, true, true FROM conversations_languagemodel"
        " WHERE name = 'gpt-4o' ON CONFLICT DO NOTHING"
    )
    visitor = Visitor(browser, site, "retrier", reduced_motion="reduce")
    page = visitor.open("/conversations/")
    begin(page, "Answer one.")
    page.evaluate("window.samePage = true")

    page.locator(ANSWER).hover()
    page.get_by_role("button", name="Retry", exact=True).click()

    switch = page.get_by_role("group", name="Version 2 of 2")
    expect(switch).to_be_visible()
    expect(page.locator(ANSWER)).to_have_attribute("data-status", "completed")
    expect(switch).to_be_visible()
    assert page.evaluate("window.samePage")

    press(page.locator(ANSWER), "Retry with…")
    form = page.get_by_role("form", name="Retry with")
    form.get_by_label("Model").select_option("gpt-other")
    assert faults(page) == []
    form.get_by_role("button", name="Retry").click()

    expect(page.get_by_role("group", name="Version 3 of 3")).to_be_visible()
    expect(page.locator(ANSWER)).to_have_attribute("data-status", "completed")
    expect(page.locator(".topbar-model")).to_have_text("The other model")
    assert answer_calls(openai, "prompt 1")[-1]["body"]["model"] == "gpt-other"
    ask(page, "prompt 2 " + marker(text="Answer two."))
    expect(page.locator(ANSWER).last).to_contain_text("Answer two.")
    assert answer_calls(openai, "prompt 2")[-1]["body"]["model"] == "gpt-other"

    # Further up the page shows the path that the new answer ends.
    page.locator(ANSWER).first.hover()
    page.locator(ANSWER).first.get_by_role("button", name="Retry", exact=True).click()
    expect(page.get_by_role("group", name="Version 4 of 4")).to_be_visible()
    expect(page.locator(ANSWER)).to_have_count(1)
    assert visitor.complaints == []
    visitor.context.close()


def test_an_answer_that_was_cut_off_goes_on(browser: Browser, site: Site) -> None:
    visitor = Visitor(browser, site, "continuer", reduced_motion="reduce")
    page = visitor.open("/conversations/")
    ask(page, "cut " + marker(text="Half a", incomplete="max_output_tokens"))
    expect(page.locator(ANSWER)).to_have_attribute("data-status", "incomplete")
    page.get_by_role("button", name="Continue").click()
    expect(page.locator(ANSWER)).to_have_count(2)
    expect(page.locator(PROMPT).last).to_contain_text("Continue exactly where it ended.")
    expect(page.locator(ANSWER).last).to_have_attribute("data-status", "completed")
    assert faults(page) == []
    visitor.context.close()


def test_an_edit_survives_a_refusal_a_reload_and_the_escape_key(browser: Browser, site: Site) -> None:
    visitor = Visitor(browser, site, "careful", reduced_motion="reduce")
    page = visitor.open("/conversations/")
    begin(page, "Answer one.")
    ask(page, "long " + marker(tokens=600, delay_ms=40))
    expect(page.locator(ANSWER)).to_have_count(2)

    press(page.locator(PROMPT).first, "Edit")
    box = page.get_by_role("form", name="Edit your message").get_by_label("Your message", exact=True)
    box.fill("my precious edit")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("An answer is still being written.")).to_be_visible()
    expect(box).to_have_value("my precious edit")
    box.press("Escape")
    expect(box).to_have_count(0)
    expect(page.locator(ANSWER).last).to_have_attribute("data-status", re.compile("queued|streaming"))
    expect(page.locator(PROMPT).first.get_by_role("link", name="Edit")).to_be_focused()

    page.reload()
    press(page.locator(PROMPT).first, "Edit")
    expect(box).to_have_value("my precious edit")
    page.get_by_role("link", name="Cancel").click()
    expect(box).to_have_count(0)
    press(page.locator(PROMPT).first, "Edit")
    expect(box).to_have_value(re.compile("^prompt 1"))
    page.get_by_label("Message", exact=True).focus()
    page.keyboard.press("Escape")
    answer = (page.locator(ANSWER).last.get_attribute("id") or "").removeprefix("message-")
    wait_for(lambda: site.message(answer)["status"] == "stopped")
    visitor.context.close()


def test_c10_without_scripts_one_can_edit_retry_with_and_switch(browser: Browser, site: Site) -> None:
    visitor = Visitor(browser, site, "plain-brancher", java_script_enabled=False)
    page = visitor.open("/conversations/")
    page.get_by_label("Message", exact=True).fill("plain " + marker(text="Answer one."))
    page.get_by_role("button", name="Send").click()
    expect(page.locator(ANSWER)).to_have_attribute("data-status", "completed", timeout=30_000)

    press(page.locator(PROMPT), "Edit")
    page.get_by_label("Your message", exact=True).fill("plain, anew " + marker(text="Answer two."))
    page.get_by_role("button", name="Send").click()
    page.wait_for_url(re.compile(r"\?at="))
    expect(page.locator(ANSWER)).to_have_attribute("data-status", "completed", timeout=30_000)
    expect(page.locator(ANSWER)).to_contain_text("Answer two.")
    page.get_by_role("link", name="Previous version").click()
    expect(page.locator(ANSWER)).to_contain_text("Answer one.")

    press(page.locator(ANSWER), "Retry with…")
    page.get_by_role("button", name="Retry").click()
    expect(page.get_by_role("group", name="Version 2 of 2").last).to_be_visible()
    visitor.context.close()


def test_axe_finds_nothing_on_a_phone(browser: Browser, site: Site) -> None:
    visitor = Visitor(browser, site, "phone-brancher", reduced_motion="reduce", **PHONE)
    page = visitor.open("/conversations/")
    page.wait_for_load_state()
    page.get_by_label("Message", exact=True).fill("phone " + marker(text="Answer one."))
    page.get_by_role("button", name="Send").tap()
    expect(page.locator(ANSWER)).to_have_attribute("data-status", "completed")
    page.get_by_role("button", name="Retry", exact=True).tap()
    expect(page.get_by_role("group", name="Version 2 of 2")).to_be_visible()
    expect(page.locator(ANSWER)).to_have_attribute("data-status", "completed")
    page.get_by_role("link", name="Edit").tap()
    expect(page.get_by_label("Your message", exact=True)).to_be_visible()
    assert faults_in_both_themes(page) == []
    small = page.evaluate("""() => [...document.querySelectorAll("main :is(a, button, select, [type=file])")]
        .filter((element) => element.checkVisibility() && !element.closest(".prose, .visually-hidden, .skip"))
        .map((element) => [element.outerHTML.slice(0, 80), element.getBoundingClientRect().height])
        .filter(([, height]) => height < 44)""")
    assert small == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    visitor.context.close()
