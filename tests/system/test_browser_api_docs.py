"""The contract in a browser: read, searched, and tried by whoever is signed in, with nothing from elsewhere."""

from __future__ import annotations

import os

from playwright.sync_api import Page, expect

from tests.system.browser import FITS, Visitor

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
    page.locator("input[type=text]").first.fill("rating")
    expect(page.locator("[data-role='search:results'] li").first).to_be_visible()
    # Its makers' logo is written into ReDoc; the policy of the page sees to it that nobody is asked for it.
    assert [said for said in visitor.complaints if LOGO not in said or "blocked" not in said] == []
    assert set(visitor.requests_elsewhere) <= {LOGO}
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.evaluate(FITS)
