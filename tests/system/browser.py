"""Chromium, driven by Playwright, and what people do and look at in it."""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect, sync_playwright

from tests.system.site import Site

# The first that is there; see .ci/browser.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
ANSWER = "article.message-assistant"
PROMPT = "article.message-user"
CONVERSATION = re.compile(r"/conversations/[0-9a-f-]{36}/")
PHONE = {"viewport": {"width": 390, "height": 800}, "has_touch": True, "is_mobile": True}
EVERYTHING = {"rules": {"target-size": {"enabled": True}}}  # of WCAG 2.2, which axe leaves out by itself
COLOURS = {"runOnly": ["color-contrast"]}
AXE = "options => axe.run(document, options).then((results) => results.violations)"
# A colour that is inherited changes level by level where everything has a transition, however short.
SETTLED = """async (scheme) => {
  const theme = matchMedia(`(prefers-color-scheme: ${scheme})`);
  const changing = () => document.getAnimations().filter((animation) => animation instanceof CSSTransition);
  while (!theme.matches || changing().length) {
    changing().forEach((transition) => transition.finish());
    await new Promise(requestAnimationFrame);
  }
}"""
FITS = "document.documentElement.scrollWidth <= innerWidth"
expect.set_options(timeout=20_000)  # a machine that runs other tests may be slow; what is there already costs nothing


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser for as long as the block lasts."""
    with sync_playwright() as playwright:
        path = next(filter(None, map(shutil.which, NAMES)))
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


class Visitor:
    """A person at a browser, signed in. Whatever the console complains of, and every request elsewhere, is kept."""

    def __init__(self, browser: Browser, site: Site, name: str, **options: object) -> None:
        self.site = site
        self.session_key = site.sign_in(name).session_key
        self.context: BrowserContext = browser.new_context(base_url=site.url, **options)  # type: ignore[arg-type]
        self.context.set_default_timeout(30_000)
        self.context.add_cookies(
            [{"name": "session", "value": self.session_key, "url": site.url, "httpOnly": True, "sameSite": "Lax"}]
        )
        self.complaints: list[str] = []
        self.requests_elsewhere: list[str] = []

    def open(self, path: str) -> Page:
        page = self.context.new_page()
        page.on("console", lambda message: self._hear(message.type, message.text))
        page.on("pageerror", lambda error: self._hear("error", str(error)))
        page.on("request", lambda request: self._see(request.url))
        page.goto(path)
        return page

    def _hear(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.complaints.append(text)

    def _see(self, url: str) -> None:
        if not url.startswith((self.site.url, "data:", "blob:")):
            self.requests_elsewhere.append(url)


def ask(page: Page, prompt: str) -> None:
    page.wait_for_load_state()  # Enter is a line break until the scripts are there
    page.get_by_label("Message", exact=True).fill(prompt)
    page.keyboard.press("Enter")


def press(message: Locator, name: str) -> None:
    """Follow one of the links that show while one points at a message."""
    message.hover()
    message.get_by_role("link", name=name, exact=True).click()


def faults(page: Page, options: dict[str, Any] | None = None) -> list[str]:
    """What axe finds on a page, each as one line with the elements concerned."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    found: list[dict[str, Any]] = page.evaluate(AXE, {"resultTypes": ["violations"]} | (options or {}))
    return [f"{fault['id']}: {fault['help']} {[node['target'] for node in fault['nodes']]}" for fault in found]


def faults_in_both_themes(page: Page, options: dict[str, Any] | None = None) -> list[str]:
    """What axe finds on a page in the light theme, and of colours, all that the theme changes, in the dark one."""
    found = []
    for scheme, asked in (("light", options), ("dark", COLOURS)):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        page.evaluate(SETTLED, scheme)
        found += [f"{scheme}: {fault}" for fault in faults(page, asked)]
    page.emulate_media(color_scheme="light")
    return found
