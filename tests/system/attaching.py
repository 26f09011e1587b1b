"""Files that are attached in a browser, and what it shows of them."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page

from tests.system.browser import CONVERSATION
from tests.system.site import marker

UPLOAD = "**/attachments/"


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
