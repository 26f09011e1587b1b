"""Everybody can use it: axe finds nothing on any page, in either theme, on a phone, and magnified."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, FilePayload, Page, expect

from tests.factories import PNG
from tests.system.browser import ANSWER, CONVERSATION, EVERYTHING, FITS, PHONE, Visitor, faults, faults_in_both_themes
from tests.system.site import Site, marker

pytestmark = pytest.mark.timeout(400)

RICH = (
    "## Ways\n\nSee the [list](https://docs.example.org/ways).\n\n```python\nprint(1)  # once\n```\n\n"
    "| Way | Cost |\n|---|--:|\n| one | 1 |\n\n1. First\n   - inner\n2. Second\n\n> Quoted.\n\n- [x] done"
)
WIDE: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}}
MAGNIFIED: dict[str, dict[str, Any]] = {
    "at 200 %": {"viewport": {"width": 640, "height": 400}, "device_scale_factor": 2},
    "at 400 %": {"viewport": {"width": 320, "height": 640}},
}
# What WCAG 1.4.12 lets readers set; a style sheet of the reader's own is not bound by the page's policy.
SPACED = """() => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`p { margin-bottom: 2em !important }
    * { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important }`);
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
}"""
CUT_OFF = """() => [...document.querySelectorAll("main :is(a, button, summary, label, p, dd, h1, h2)")]
  .filter((element) => element.checkVisibility() && !element.closest(".visually-hidden"))
  .filter((element) => getComputedStyle(element).overflow === "hidden")
  .filter((element) => element.scrollHeight > element.clientHeight + 2)
  .map((element) => element.outerHTML.slice(0, 100))"""


@dataclass(frozen=True, slots=True)
class Conversations:
    """Addresses of conversations whose last answers stand differently."""

    completed: str
    failed: str
    stopped: str
    cut_off: str
    retried: str
    files: str
    streaming: str
    concluded: str


@pytest.fixture(scope="module")
def conversations(browser: Browser, site: Site) -> Iterator[Conversations]:
    person = site.sign_in("axe")
    site.sql("UPDATE conversations_languagemodel SET accepts_images = true, accepts_files = true")
    begun = {
        "completed": person.begin("completed " + marker(text=RICH)),
        "failed": person.begin("failed " + marker(fault="quota")),
        "stopped": person.begin("stopped " + marker(tokens=2000, delay_ms=30)),
        "cut_off": person.begin("cut off " + marker(fault="incomplete", text="Half of it")),
        "retried": person.begin("retried " + marker(text="Another one.")),
        "concluded": person.begin("concluded " + marker(text="The last word.")),
    }
    site.wait_for_text(begun["stopped"][1])
    assert person.request("POST", f"/messages/{begun['stopped'][1]}/stop/", {})[0] == 303
    for _, answer in begun.values():
        site.wait_until_ended(answer)
    assert person.request("POST", f"/messages/{begun['retried'][1]}/retry/", {})[0] == 303
    assert person.request("POST", f"/messages/{begun['completed'][1]}/feedback/", {"rating": "down"})[0] == 303
    site.sql(
        "UPDATE conversations_conversation SET state = 'concluded', concluded_at = now(), concluded_by = 'owner'"
        " WHERE id = %s",
        begun["concluded"][0],
    )
    streaming, running = person.begin("streaming " + marker(tokens=1200, delay_ms=250))
    site.wait_for_text(running)
    addresses = {name: f"/conversations/{pk}/" for name, (pk, _) in begun.items()}
    yield Conversations(**addresses, files=_send_files(browser, site), streaming=f"/conversations/{streaming}/")
    person.request("POST", f"/messages/{running}/stop/", {})


def _send_files(browser: Browser, site: Site) -> str:
    visitor = Visitor(browser, site, "axe")
    page = visitor.open("/conversations/")
    page.wait_for_load_state()
    picture = FilePayload(name="dot.png", mimeType="image/png", buffer=PNG)
    table = FilePayload(name="a rather long name of a list of counts.csv", mimeType="text/csv", buffer=b"a,b\n1,2\n")
    page.locator("#files").set_input_files([picture, table])
    expect(page.locator('#chips .chip[data-state="ready"]')).to_have_count(2)
    page.get_by_label("Message", exact=True).fill("files " + marker(text="Seen."))
    page.keyboard.press("Enter")
    page.wait_for_url(CONVERSATION)
    expect(page.locator(ANSWER)).to_have_attribute("data-status", "completed")
    address = page.url.removeprefix(site.url).partition("#")[0]
    visitor.context.close()
    return address


class Look:
    """Goes through pages and states, and keeps what axe finds on each, where it is asked for, and what is too wide."""

    def __init__(self, browser: Browser, site: Site, find: Callable[[Page], list[str]] | None, **options: Any) -> None:
        self.find = find
        self.visitor = Visitor(browser, site, "axe", reduced_motion="reduce", **options)
        self.page = self.visitor.open("/conversations/")
        self.wrong: dict[str, list[str]] = {}

    def at(self, address: str, *openers: str) -> None:
        """Open a page, and what opens on it; OPENED tells what is there then."""
        self.page.goto(address)
        if openers:
            self.page.wait_for_load_state()
        for opener in openers:
            self.page.locator(opener).first.click()
            expect(self.page.locator(OPENED[opener]).first).to_be_visible()
        self.judge(" ".join((address, *openers)))

    def judge(self, name: str) -> None:
        found = self.find(self.page) if self.find else []
        if not self.page.evaluate(FITS):
            found.append("is wider than the window")
        if found:
            self.wrong[name] = found

    def close(self) -> None:
        self.visitor.context.close()


def axe(page: Page) -> list[str]:
    return faults(page, EVERYTHING)


def axe_and_magnified(page: Page) -> list[str]:
    """What axe finds in both themes, and the windows that the page does not fit when its reader magnifies it."""
    found = faults_in_both_themes(page, EVERYTHING)
    session = page.context.new_cdp_session(page)
    for name, window in (MAGNIFIED | {"": WIDE}).items():
        size = window["viewport"] | {"deviceScaleFactor": window.get("device_scale_factor", 1), "mobile": False}
        session.send("Emulation.setDeviceMetricsOverride", size)
        page.wait_for_function("width => innerWidth === width", arg=size["width"])
        if not page.evaluate(FITS):
            found.append(f"is wider than the window {name}")
    session.detach()
    return found


OPENED = {
    ".facts summary": ".facts dl",
    ".topbar .menu summary": ".menu-panel",
    ".account summary": ".account-menu",
    ".title summary": "#new-title",
    ".reason summary": ".reason-form",
    "[data-edit]": ".version-form",
    "[id^=retry-link]": ".version-form",
}
AT_ONCE = (
    (".facts summary", ".reason summary", "[data-edit]"),
    ("[id^=retry-link]", ".topbar .menu summary"),
    (".title summary",),
)
ADDRESSES = (
    "/conversations/",
    "/conversations/find/",
    "/conversations/find/?q=completed",
    "/conversations/find/?q=zebra",
    "/conversations/deleted/",
    "/usage/",
    "/account/",
    "/nothing-here/",
    "/accounts/password/change/",
    "/accounts/logout/",
)
STATES = ("completed", "failed", "stopped", "cut_off", "retried", "files", "streaming", "concluded")


def test_axe_finds_nothing_on_the_pages_of_a_person_and_they_can_be_magnified(
    browser: Browser, site: Site, conversations: Conversations
) -> None:
    look = Look(browser, site, axe_and_magnified, **WIDE)
    for address in ADDRESSES:
        look.at(address)
    for name in STATES:
        look.at(getattr(conversations, name))
    for openers in AT_ONCE:
        look.at(conversations.completed, *openers)
    look.at(f"{conversations.completed}conclude/")
    look.at(f"{conversations.completed}hide/", ".account summary")
    look.page.locator(".account-menu [data-help]").click()
    look.judge("help")
    look.visitor.context.clear_cookies()
    look.at("/accounts/login/")
    look.page.get_by_role("button", name="Sign in").click()
    expect(look.page.get_by_role("alert").first).to_be_visible()
    look.judge("refused sign-in")
    assert look.wrong == {}
    look.close()


def test_axe_finds_nothing_on_a_phone(browser: Browser, site: Site, conversations: Conversations) -> None:
    look = Look(browser, site, axe, **PHONE)
    page = look.page
    look.at(conversations.failed)
    page.get_by_label("Show conversations").click()
    expect(page.get_by_role("link", name="New conversation")).to_be_visible()
    page.wait_for_timeout(400)  # the drawer slides in; its words have no weight before it is there
    look.judge("drawer")
    for address in (
        "/conversations/",
        "/conversations/find/?q=completed",
        "/usage/",
        "/account/",
        conversations.retried,
    ):
        look.at(address)
    look.at(conversations.completed, *AT_ONCE[0])
    look.at(conversations.completed)
    assert look.wrong == {}
    small = page.evaluate("""() => [...document.querySelectorAll("main :is(a, button, summary)")]
        .filter((element) => element.checkVisibility() && !element.closest(".prose, .visually-hidden, .skip"))
        .map((element) => [element.outerHTML.slice(0, 80), element.getBoundingClientRect().height])
        .filter(([, height]) => height < 44)""")
    assert small == []
    assert page.locator("header.topbar").evaluate("header => header.offsetHeight") < 80
    look.close()


@pytest.mark.parametrize("window", MAGNIFIED)
def test_what_opens_on_a_magnified_page_does_not_scroll_it_sideways(
    browser: Browser, site: Site, conversations: Conversations, window: str
) -> None:
    look = Look(browser, site, None, **MAGNIFIED[window])
    for openers in AT_ONCE:
        look.at(conversations.completed, *openers)
    assert look.wrong == {}
    look.close()


def test_text_set_wider_by_the_reader_is_not_cut_off(
    browser: Browser, site: Site, conversations: Conversations
) -> None:
    look = Look(browser, site, None, **WIDE)
    page = look.page
    cut = []
    for address in ("/conversations/", "/conversations/find/?q=completed", "/usage/", conversations.completed):
        page.goto(address)
        page.evaluate(SPACED)
        assert page.evaluate(FITS), address
        cut += page.evaluate(CUT_OFF)
    assert cut == []
    look.close()


def test_axe_finds_nothing_in_the_back_office(browser: Browser, site: Site, conversations: Conversations) -> None:
    # Django's own markup keeps to WCAG, not to every practice that axe calls good.
    wcag = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
    visitor = Visitor(browser, site, "admin", reduced_motion="reduce")
    page = visitor.open("/admin/conversations/conversation/")
    found = {"list": faults_in_both_themes(page, wcag)}
    page.goto(f"/admin{conversations.completed.replace('conversations', 'conversations/conversation')}change/")
    found["reason"] = faults_in_both_themes(page, wcag)
    page.get_by_label("Reason").fill("Case 17")
    page.get_by_role("button", name="Go on").click()
    page.goto("/admin/audit/auditevent/")
    found["audit"] = faults_in_both_themes(page, wcag)
    for name in ("completed", "failed", "stopped"):
        page.goto(f"/admin{getattr(conversations, name).replace('conversations', 'conversations/conversation')}change/")
        found[name] = faults_in_both_themes(page, wcag)
    assert {name: lines for name, lines in found.items() if lines} == {}
    visitor.context.close()
