"""Attaching files as people do, in Chromium: chosen, dropped, pasted, watched, retried, taken back and sent."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route, expect

from tests.factories import PNG
from tests.system.browser import Visitor, chromium
from tests.system.site import Site, marker, wait_for

CONVERSATION = re.compile(r"/conversations/[0-9a-f-]{36}/")
ANSWER = "article.message-assistant"
UPLOAD = "**/attachments/"
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


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module", autouse=True)
def _takes_everything(site: Site) -> None:
    site.sql("UPDATE conversations_languagemodel SET accepts_images = true, accepts_files = true")


@pytest.fixture
def visitor(browser: Browser, site: Site, request: pytest.FixtureRequest) -> Iterator[Visitor]:
    visitor = Visitor(browser, site, f"files-{abs(hash(request.node.name))}")
    yield visitor
    visitor.context.close()


@pytest.fixture
def page(visitor: Visitor) -> Page:
    page = visitor.open("/conversations/")
    page.wait_for_load_state()
    return page


def csv(name: str = "count.csv", data: bytes = b"a,b\n1,2\n") -> dict[str, Any]:
    return {"name": name, "mimeType": "text/csv", "buffer": data}


def choose(page: Page, *files: dict[str, Any]) -> None:
    page.locator("#files").set_input_files(list(files))  # type: ignore[arg-type]


def chips(page: Page, state: str = "") -> Any:
    return page.locator(f'#chips .chip[data-state="{state}"]' if state else "#chips .chip")


def problem(page: Page) -> Any:
    return page.locator("#composer-problem")


def begin(page: Page, prompt: str, **scenario: Any) -> None:
    page.locator("#prompt").fill(f"{prompt} {marker(**scenario)}")
    page.keyboard.press("Enter")
    page.wait_for_url(CONVERSATION)
    page.wait_for_load_state()


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
        expect(problem(page)).to_have_text("GPT-4o takes no files. Another assistant may.")
        expect(chips(page)).to_have_count(0)
    finally:
        site.sql("UPDATE conversations_languagemodel SET accepts_images = true, accepts_files = true")
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


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_where_files_are(browser: Browser, site: Site, scheme: str) -> None:
    visitor = Visitor(browser, site, "axe-files", color_scheme=scheme, reduced_motion="reduce")
    page = visitor.open("/conversations/")
    page.wait_for_load_state()
    page.evaluate("localStorage.clear()")
    page.reload()
    page.wait_for_load_state()
    choose(page, csv(), {"name": "dot.png", "mimeType": "image/png", "buffer": PNG}, csv("program.exe"))
    expect(chips(page, "ready")).to_have_count(2)
    waiting: list[Route] = []
    page.route(UPLOAD, lambda route: waiting.append(route))
    choose(page, csv("late.csv"))
    expect(chips(page, "uploading")).to_have_count(1)
    assert faults(page) == []
    page.get_by_role("button", name="Remove late.csv").click()
    page.get_by_role("button", name="Remove program.exe").click()
    begin(page, "count", text="Two files.")
    assert faults(page) == []
    visitor.context.close()


def faults(page: Page) -> list[str]:
    return [
        f"{fault['id']}: {[node['target'] for node in fault['nodes']]}"
        for fault in Axe().run(page).response["violations"]
    ]
