"""What administrators try out and take along, in Chromium: a test call, a preview, an export of everything."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from records.exporting.checking import check
from tests.system.browser import Visitor
from tests.system.client import Client
from tests.system.site import Site, marker, wait_for

WHY = "Case 2026-17"
OPEN = "SELECT id FROM conversations_generation WHERE purpose = 'test' AND status IN ('pending', 'running')"


@pytest.fixture(params=[True, False], ids=["with scripts", "without scripts"])
def has_scripts(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def visitor(browser: Browser, site: Site, has_scripts: bool) -> Iterator[Visitor]:
    visitor = Visitor(browser, site, "admin", java_script_enabled=has_scripts)
    yield visitor
    assert visitor.complaints == []
    assert visitor.requests_elsewhere == []
    visitor.context.close()


def test_a_model_is_called_by_a_press_and_what_came_of_it_appears(
    visitor: Visitor, site: Site, has_scripts: bool
) -> None:
    model = site.sql("SELECT id FROM conversations_languagemodel WHERE name = 'gpt-4o'")[0][0]
    page = visitor.open(f"/admin/conversations/languagemodel/{model}/change/")
    page.get_by_role("button", name="Test call").click()
    if not has_scripts:
        wait_for(lambda: not site.sql(OPEN), what="the end of the call")
        page.reload()
    test = page.locator("#tests .trial").first
    expect(test).to_contain_text("Completed")
    expect(test).to_contain_text("answered by gpt-4o")


def test_an_assistant_is_tried_out_in_several_turns(visitor: Visitor, site: Site) -> None:
    assistant = site.sql("SELECT id FROM conversations_assistant WHERE slug = 'general'")[0][0]
    page = visitor.open(f"/admin/conversations/assistant/{assistant}/change/")
    page.get_by_role("link", name="Preview").click()
    page.get_by_label("Instructions").fill("Answer in one word.")
    for number, answer in enumerate(("First **word**", "Second word")):
        page.get_by_role("textbox", name="Prompt").fill(f"Say something {marker(text=answer)}")
        page.get_by_role("button", name="Go on" if number else "Try it").click()
        expect(page.locator(".preview-answer").nth(number)).to_contain_text("word")
        expect(page.get_by_role("textbox", name="Prompt")).to_be_visible()
    expect(page.locator(".preview-answer strong")).to_have_text("word")
    expect(page.get_by_label("Instructions")).to_have_value("Answer in one word.")


def test_v11_everything_is_exported_downloaded_and_verified(visitor: Visitor, site: Site, tmp_path: Path) -> None:
    _, answer = Client(site, visitor.session_key, site.port).begin(f"Keep this {marker(text='Kept.')}")
    site.wait_until_ended(answer)
    page = visitor.open("/admin/records/bulkexport/add/")
    page.get_by_label("Reason").fill(WHY)
    page.get_by_role("button", name="Ask for the export").click()
    expect(page.get_by_role("link", name="Download all as ZIP")).to_be_visible(timeout=30_000)
    page.get_by_role("link", name="Download all as ZIP").click()
    page.get_by_label("Reason").fill(WHY)
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Go on").click()
    with zipfile.ZipFile(waiting.value.path()) as archive:
        archive.extractall(tmp_path)
    assert list(check(tmp_path / "manifest.json")) == []
    assert "Kept." in "".join(path.read_text() for path in tmp_path.glob("conversations-*.jsonl"))
