"""The contract in a browser: read, searched, and tried by whoever is signed in, with nothing from elsewhere."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.system.browser import COLOURS, FITS, Visitor, faults
from tests.system.site import Site

DOCUMENTS = ("/api/docs/", "/api/docs/redoc/")
LOGO = "https://cdn.redoc.ly/redoc/logo-mini.svg"


def opened(visitor: Visitor, path: str) -> Page:
    page = visitor.open(path)
    page.wait_for_load_state("networkidle")
    return page


def seen(page: Page, name: str) -> None:
    """Keep pictures of the page where somebody wants to look at them."""
    if folder := os.environ.get("SCREENSHOTS"):
        for width, height in ((1280, 900), (390, 800)):
            page.set_viewport_size({"width": width, "height": height})
            page.screenshot(path=f"{folder}/{name}-{width}.png")
        page.set_viewport_size({"width": 1280, "height": 900})


def test_operations_are_tried_as_the_person_who_is_signed_in(visitor: Visitor) -> None:
    page = opened(visitor, "/api/docs/")
    seen(page, "swagger")
    page.locator("#operations-me-get_me .opblock-summary-control").click()
    page.locator("#operations-me-get_me .try-out__btn").click()
    page.locator("#operations-me-get_me .execute").click()
    answer = page.locator("#operations-me-get_me .live-responses-table tbody .response-col_status").first
    expect(answer).to_contain_text("200")
    expect(page.locator("#operations-me-get_me .live-responses-table")).to_contain_text("visitor-")
    seen(page, "swagger-tried")
    page.locator("#operations-conversations-start_conversation .opblock-summary-control").click()
    operation = page.locator("#operations-conversations-start_conversation")
    operation.locator(".try-out__btn").click()
    operation.locator("textarea.body-param__text").fill('{"text": "A word from the documents"}')
    operation.locator(".execute").click()
    expect(operation.locator(".live-responses-table tbody .response-col_status").first).to_contain_text(
        "20", timeout=30_000
    )
    assert visitor.complaints == []
    assert visitor.requests_elsewhere == []


def test_the_contract_is_one_page_to_read_and_to_search(visitor: Visitor) -> None:
    page = opened(visitor, "/api/docs/redoc/")
    expect(page.get_by_role("heading", name="Find the resources")).to_be_visible()
    seen(page, "redoc")
    page.locator("[data-section-id$='operation/send_message']").first.scroll_into_view_if_needed()
    seen(page, "redoc-operation")
    page.locator("input[type=text]").first.fill("rating")
    expect(page.locator("[data-role='search:results'] li").first).to_be_visible()
    # Its makers' logo is written into ReDoc; the policy of the page sees to it that nobody is asked for it.
    assert [said for said in visitor.complaints if LOGO not in said or "blocked" not in said] == []
    assert set(visitor.requests_elsewhere) <= {LOGO}
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.evaluate(FITS)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", DOCUMENTS)
def test_everything_can_be_read_in_either_theme(browser: Browser, site: Site, path: str, scheme: str) -> None:
    visitor = Visitor(browser, site, f"reader-of-documents-{scheme}", color_scheme=scheme)
    page = opened(visitor, path)
    expect(page.get_by_text("everything that the page does, for programs")).to_be_visible()
    assert faults(page, COLOURS) == []
    seen(page, f"{Path(path).name}-{scheme}")
    visitor.context.close()


@pytest.mark.parametrize("path", DOCUMENTS)
def test_the_reader_s_own_choice_of_colours_overrules_the_system_s(visitor: Visitor, path: str) -> None:
    page = opened(visitor, "/conversations/")
    page.evaluate("localStorage.setItem('theme', 'dark')")
    docs = opened(visitor, path)
    paper = "getComputedStyle(document.body).backgroundColor"
    ink = "getComputedStyle(document.querySelector('main h1, main h2')).color"
    dark = (docs.evaluate(paper), docs.evaluate(ink))
    page.evaluate("localStorage.setItem('theme', 'light')")
    expect(docs.locator("html")).to_have_attribute("data-theme", "light")
    docs.wait_for_load_state("networkidle")
    light = (docs.evaluate(paper), docs.evaluate(ink))
    lightness = [sum(map(int, re.findall(r"\d+", colour)[:3])) for colour in (*dark, *light)]
    assert lightness[0] < 150 < 500 < lightness[1]
    assert lightness[3] < 250 < 700 < lightness[2]
