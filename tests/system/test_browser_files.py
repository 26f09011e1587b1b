"""Files with messages, in Chromium: kept by a refusal and a reload, sent without scripts too, opened, fetched again."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.factories import PNG
from tests.system.attaching import UPLOAD, begin, chips, choose, csv, problem
from tests.system.browser import ANSWER, CONVERSATION, Visitor, faults_in_both_themes
from tests.system.site import Site, marker, wait_for

pytestmark = pytest.mark.usefixtures("takes_everything")


def test_a_refused_message_keeps_its_files_and_a_sent_one_none(page: Page, site: Site, visitor: Visitor) -> None:
    begin(page, "slow", tokens=3000, delay_ms=30)
    expect(page.locator("#stop-form")).to_have_count(1)
    choose(page, csv())
    expect(chips(page, "ready")).to_have_count(1)
    page.locator("#prompt").fill("and this " + marker(text="Counted."))
    page.evaluate("document.getElementById('composer').requestSubmit()")
    expect(problem(page)).to_contain_text("still being written")
    expect(chips(page, "ready")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(page.locator(ANSWER)).to_have_attribute("data-status", "stopped")
    page.locator("#prompt").focus()
    page.keyboard.press("Enter")
    expect(page.locator(ANSWER).last).to_contain_text("Counted.")
    expect(chips(page)).to_have_count(0)
    expect(page.locator(".message-user .file")).to_have_count(1)
    page.reload()
    expect(chips(page)).to_have_count(0)


def test_files_that_are_in_survive_a_reload_and_can_still_be_sent(page: Page, visitor: Visitor) -> None:
    choose(page, csv(), {"name": "dot.png", "mimeType": "image/png", "buffer": PNG})
    expect(chips(page, "ready")).to_have_count(2)
    before = chips(page).all_inner_texts()
    page.reload()
    expect(chips(page, "ready")).to_have_count(2)
    assert chips(page).all_inner_texts() == before
    expect(page.locator(".chip img")).to_have_count(1)
    begin(page, "count", text="Two files.")
    expect(page.locator(".message-user .attachments li")).to_have_count(2)
    page.goto("/conversations/")
    page.wait_for_load_state()
    expect(chips(page)).to_have_count(0)
    assert visitor.complaints == []


def test_what_the_model_cannot_be_given_is_said_beside_the_file(browser: Browser, site: Site) -> None:
    visitor = Visitor(browser, site, "unfit")
    site.sql("UPDATE conversations_languagemodel SET accepts_images = false")
    try:
        page = visitor.open("/conversations/")
        page.wait_for_load_state()
        choose(page, {"name": "dot.png", "mimeType": "image/png", "buffer": PNG})
        expect(page.locator(".chip[data-unfit]")).to_contain_text("GPT-4o cannot be shown images")
        page.locator("#prompt").fill("look")
        page.keyboard.press("Enter")
        expect(problem(page)).to_contain_text("Remove “dot.png” or choose another assistant.")
        site.sql("UPDATE conversations_languagemodel SET accepts_files = false")
        page.reload()
        page.wait_for_load_state()
        page.get_by_role("button", name="Remove dot.png").click()
        choose(page, csv())
        expect(problem(page)).to_have_text("GPT-4o takes no files.")
        site.sql("UPDATE conversations_languagemodel SET accepts_files = true WHERE name = 'gpt-6-luna'")
        site.sql(
            "UPDATE conversations_assistant SET model_id ="
            " (SELECT id FROM conversations_languagemodel WHERE name = 'gpt-6-luna') WHERE name LIKE 'Comic%'"
        )
        page.reload()
        page.wait_for_load_state()
        choose(page, csv())
        expect(problem(page)).to_have_text("GPT-4o takes no files. Another assistant here does.")
        expect(chips(page)).to_have_count(0)
    finally:
        site.sql("UPDATE conversations_languagemodel SET accepts_images = true, accepts_files = true")
        site.sql("UPDATE conversations_assistant SET model_id = NULL")
        visitor.context.close()


def test_c10_without_scripts_files_go_with_the_form(browser: Browser, site: Site) -> None:
    visitor = Visitor(browser, site, "scriptless-files", java_script_enabled=False)
    page = visitor.open("/conversations/")
    expect(page.get_by_text("Up to 10 files, 45 MB each")).to_be_visible()
    choose(page, csv(), csv("broken.pdf", b"%PDF-1.7 nothing"))
    page.get_by_label("Message").fill("scriptless " + marker(text="One file."))
    page.get_by_role("button", name="Send").click()
    expect(problem(page)).to_contain_text("broken.pdf")
    expect(page.get_by_label("Send count.csv with the message")).to_be_checked()
    page.get_by_role("button", name="Send").click()
    page.wait_for_url(CONVERSATION)
    expect(page.locator(".message-user .file-name")).to_have_text("count.csv")
    with page.expect_download() as download:
        page.locator(".message-user .file-link").click()
    assert Path(download.value.path()).read_bytes() == b"a,b\n1,2\n"
    assert download.value.suggested_filename == "count.csv"
    visitor.context.close()


def test_a_picture_opens_in_a_tab_of_its_own_where_nothing_can_run(page: Page, visitor: Visitor) -> None:
    choose(page, {"name": "dot.png", "mimeType": "image/png", "buffer": PNG})
    expect(chips(page, "ready")).to_have_count(1)
    begin(page, "look", text="Seen.")
    picture = page.locator(".picture img")
    wait_for(lambda: picture.evaluate("image => image.naturalWidth > 0"), what="the thumbnail")
    with visitor.context.expect_page() as opened:
        picture.click()
    opened.value.wait_for_load_state()
    assert opened.value.evaluate("document.images[0].naturalWidth") == 1
    assert opened.value.evaluate("self.origin") == "null"
    assert visitor.complaints == []


def test_u23_a_lost_file_of_an_answer_is_fetched_again_and_shows_up_by_itself(page: Page, visitor: Visitor) -> None:
    lost = {"name": "lost.csv", "text": "1,2\n3,4\n", "status": 404, "times": 1}
    begin(page, "make", text="Made.", code_interpreter={"files": [lost]})
    expect(page.locator(ANSWER)).to_have_attribute("data-status", "completed", timeout=20_000)
    expect(page.locator('.file[data-state="failed"]')).to_contain_text("lost.csv")
    page.evaluate("window.samePage = true")
    page.get_by_role("button", name="Retry lost.csv").click()
    expect(page.locator('.file[data-state="ready"]')).to_contain_text("CSV · 8 B", timeout=20_000)
    assert page.evaluate("window.samePage")
    assert page.locator(ANSWER).count() == 1
    assert visitor.complaints == []


def test_axe_finds_nothing_where_files_are(browser: Browser, site: Site) -> None:
    visitor = Visitor(browser, site, "axe-files", reduced_motion="reduce")
    page = visitor.open("/conversations/")
    page.wait_for_load_state()
    choose(page, csv(), {"name": "dot.png", "mimeType": "image/png", "buffer": PNG}, csv("program.exe"))
    expect(chips(page, "ready")).to_have_count(2)
    waiting: list[Route] = []
    page.route(UPLOAD, lambda route: waiting.append(route))
    choose(page, csv("late.csv"))
    expect(chips(page, "uploading")).to_have_count(1)
    assert faults_in_both_themes(page) == []
    page.get_by_role("button", name="Remove late.csv").click()
    page.get_by_role("button", name="Remove program.exe").click()
    begin(page, "count", text="Two files.")
    assert faults_in_both_themes(page) == []
    visitor.context.close()
