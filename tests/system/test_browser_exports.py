"""Exports as people take them, in Chromium: from a conversation and from the page where one finds, scripts or not."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Download, Page, expect

from tests.exporting.said import lines, table
from tests.system.browser import Visitor
from tests.system.client import Client
from tests.system.site import Site, marker

FORMATS = {"Markdown": ".md", "CSV": ".csv", "JSONL": ".jsonl", "ZIP with files": ".zip"}


@pytest.fixture(params=[True, False], ids=["with scripts", "without scripts"])
def visitor(browser: Browser, site: Site, request: pytest.FixtureRequest) -> Iterator[Visitor]:
    visitor = Visitor(browser, site, f"exporter-{request.param}", java_script_enabled=request.param)
    yield visitor
    visitor.context.close()


@pytest.fixture
def conversation(visitor: Visitor, site: Site) -> str:
    """A conversation of theirs with an answer."""
    pk, answer = Client(site, visitor.session_key, site.port).begin(f"=1+1 {marker(text='Two, I should say.')}")
    site.wait_until_ended(answer)
    return pk


def press(page: Page, name: str) -> tuple[Download, bytes]:
    with page.expect_download() as waiting:
        page.get_by_role("link", name=name, exact=True).click()
    return waiting.value, Path(waiting.value.path()).read_bytes()


def test_each_format_is_two_presses_away_and_the_page_stays(visitor: Visitor, conversation: str) -> None:
    page = visitor.open(f"/conversations/{conversation}/")
    page.locator("summary[aria-label='About this conversation']").click()
    for name, suffix in FORMATS.items():
        download, data = press(page, name)
        assert download.suggested_filename.endswith(suffix)
        if suffix == ".csv":
            assert [row["content"][:5] for row in table(data)] == ["'=1+1", "Two, "]
        elif suffix == ".jsonl":
            assert [line["content"][:4] for line in lines(data)] == ["=1+1", "Two,"]
        elif suffix == ".md":
            assert "> Two, I should say.\n" in data.decode()
        else:
            assert zipfile.ZipFile(download.path()).testzip() is None
    expect(page).to_have_url(f"{visitor.site.url}/conversations/{conversation}/")
    expect(page.get_by_text("Two, I should say.", exact=True)).to_be_visible()
    assert visitor.complaints == []


def test_a_selection_and_everything_are_taken_where_one_finds(visitor: Visitor, conversation: str) -> None:
    page = visitor.open("/conversations/find/")
    page.locator(f"input[name=conversation][value='{conversation}']").check()
    page.locator("select[name=format]").select_option("csv")
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Export selected").click()
    rows = table(Path(waiting.value.path()).read_bytes())
    assert {row["conversation_id"] for row in rows} == {conversation}
    page = visitor.open("/conversations/find/")
    page.locator("select[name=format]").select_option("jsonl")
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Export all").click()
    found = lines(Path(waiting.value.path()).read_bytes())
    assert conversation in {line["conversation"]["id"] for line in found}


def test_what_cannot_be_exported_is_said_on_a_page(visitor: Visitor, conversation: str) -> None:
    page = visitor.open(f"/conversations/{conversation}/export/?format=doc")
    expect(page.get_by_role("heading", name="There is no such format")).to_be_visible()
    expect(page.get_by_role("link", name="To your conversations")).to_be_visible()
