"""Attaching files as people do, in Chromium: chosen, dropped, pasted, watched, retried and taken back."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from tests.system.attaching import UPLOAD, chips, choose, csv, problem
from tests.system.browser import CONVERSATION, Visitor
from tests.system.site import Site, marker, wait_for

pytestmark = pytest.mark.usefixtures("takes_everything")
# Files as a hand brings them: dropped on an element, or pasted into it.
BRING = """([selector, kind, files]) => {
  const data = new DataTransfer();
  for (const { name, text, type } of files) data.items.add(new File([text], name, { type }));
  const element = document.querySelector(selector);
  const options = { bubbles: true, cancelable: true };
  if (kind === "paste") return element.dispatchEvent(new ClipboardEvent("paste", { ...options, clipboardData: data }));
  for (const type of ["dragenter", "dragover", ...(kind === "drop" ? ["drop"] : [])]) {
    element.dispatchEvent(new DragEvent(type, { ...options, dataTransfer: data }));
  }
}"""


def test_files_are_dropped_anywhere_and_pasted(page: Page, visitor: Visitor) -> None:
    dropped = [{"name": "a.csv", "text": "1,2", "type": "text/csv"}, {"name": "b.md", "text": "# B", "type": ""}]
    page.evaluate(BRING, [".start-title", "drag", dropped])
    expect(page.locator(".drop")).to_be_visible()
    page.evaluate(BRING, [".start-title", "drop", dropped])
    expect(page.locator(".drop")).to_be_hidden()
    pasted = [{"name": "c.txt", "text": "C", "type": "text/plain"}]
    page.evaluate(BRING, ["#prompt", "paste", pasted])
    expect(chips(page, "ready")).to_have_count(3)
    assert page.locator(".chip .chip-name").all_inner_texts() == ["a.csv", "b.md", "c.txt"]
    assert visitor.complaints == []


def test_limits_are_looked_at_before_a_byte_is_sent(page: Page, tmp_path: Path) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.method == "POST" else None)
    for name, size in (("program.exe", 1), ("empty.csv", 0), ("large.csv", 45_000_001)):
        with (tmp_path / name).open("wb") as file:
            file.truncate(size)
    page.locator("#files").set_input_files([tmp_path / name for name in ("program.exe", "empty.csv", "large.csv")])
    expect(chips(page, "failed")).to_have_count(3)
    words = chips(page).all_inner_texts()
    assert "Files of type .exe cannot be attached." in words[0]
    assert "The file is empty." in words[1]
    assert "It is larger than 45 MB" in words[2]
    expect(page.locator(".chip-retry:visible")).to_have_count(0)
    assert asked == []


def test_more_files_than_a_message_carries_are_left_out_and_told(page: Page) -> None:
    choose(page, *[csv(f"{number}.csv") for number in range(13)])
    expect(chips(page)).to_have_count(10)
    expect(problem(page)).to_have_text("One message can carry 10 files. 3 more were left out.")


def test_two_are_uploaded_at_a_time_with_their_progress_and_the_message_waits(page: Page, visitor: Visitor) -> None:
    slow = visitor.context.new_cdp_session(page)
    slow.send("Network.enable")
    limits = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 1_000_000}
    slow.send("Network.emulateNetworkConditions", limits)
    choose(page, *[csv(f"{number}.csv", b"1,2\n" * 250_000) for number in range(4)])
    expect(chips(page, "uploading")).to_have_count(2)
    expect(chips(page, "waiting")).to_have_count(2)
    bar = page.locator(".chip-progress").first
    wait_for(lambda: 0 < float(bar.evaluate("bar => bar.value")) < 1, what="progress")
    expect(chips(page).first).to_contain_text(re.compile(r"\d+ KB of 1.0 MB"))
    page.locator("#prompt").fill("count " + marker(text="Four files."))
    page.keyboard.press("Enter")
    expect(problem(page)).to_contain_text("The message goes when")
    page.wait_for_url(CONVERSATION, timeout=30_000)
    expect(page.locator(".message-user .file")).to_have_count(4)
    assert visitor.complaints == []


def test_what_is_still_being_written_is_not_sent_by_itself(page: Page, visitor: Visitor) -> None:
    waiting: list[Route] = []
    page.route(UPLOAD, lambda route: waiting.append(route))
    choose(page, csv())
    page.locator("#prompt").fill("count")
    page.keyboard.press("Enter")
    expect(problem(page)).to_contain_text("The message goes when")
    page.keyboard.type(" this")
    expect(problem(page)).to_have_text("")
    wait_for(lambda: waiting, what="the upload")
    waiting[0].continue_()
    expect(chips(page, "ready")).to_have_count(1)
    expect(page.locator("#prompt")).to_have_value("count this")
    assert "/conversations/" in page.url
    assert not CONVERSATION.search(page.url)


def test_an_upload_that_breaks_can_be_retried_or_removed_and_holds_the_message_back(page: Page) -> None:
    page.route(UPLOAD, lambda route: route.abort())
    choose(page, csv("one.csv"), csv("two.csv"))
    expect(chips(page, "failed")).to_have_count(2)
    expect(chips(page).first).to_contain_text("The upload was cut off.")
    page.locator("#prompt").fill("count " + marker(text="One file."))
    page.keyboard.press("Enter")
    expect(problem(page)).to_have_text("2 files could not be attached. Retry or remove them, then send.")
    page.unroute(UPLOAD)
    page.get_by_role("button", name="Retry one.csv").click()
    expect(chips(page, "ready")).to_have_count(1)
    page.get_by_role("button", name="Remove two.csv").click()
    expect(chips(page)).to_have_count(1)
    page.locator("#prompt").focus()
    page.keyboard.press("Enter")
    page.wait_for_url(CONVERSATION)
    assert page.locator(".message-user .file-name").all_inner_texts() == ["one.csv"]


def test_a_removed_file_is_gone_from_the_server_too_also_while_it_is_uploaded(page: Page, site: Site) -> None:
    choose(page, csv("removed.csv"))
    expect(chips(page, "ready")).to_have_count(1)
    page.get_by_role("button", name="Remove removed.csv").click()
    expect(chips(page)).to_have_count(0)
    expect(page.locator("#prompt")).to_be_focused()
    wait_for(lambda: not site.sql("SELECT 1 FROM conversations_attachment WHERE name = 'removed.csv'"), what="removal")
    page.route(UPLOAD, lambda route: None)
    choose(page, csv("pulled.csv"))
    page.get_by_role("button", name="Remove pulled.csv").click()
    expect(chips(page)).to_have_count(0)
