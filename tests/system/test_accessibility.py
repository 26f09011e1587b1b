"""Everybody can use it: axe finds nothing on any page in either theme, and a keyboard is enough."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.system.browser import Visitor, chromium
from tests.system.site import Site, marker, wait_for

ANSWER = "article.message-assistant"
RICH = (
    "## Ways\n\nSee the [list](https://docs.example.org/ways).\n\n```python\nprint(1)  # once\n```\n\n"
    "| Way | Cost |\n|---|--:|\n| one | 1 |\n\n1. First\n   - inner\n2. Second\n\n> Quoted.\n\n- [x] done"
)
# What a person at the keyboard meets: its name, whether its focus can be seen, whether it can be seen itself.
FOCUSED = """async () => {
  const element = document.activeElement;
  if (element === document.body) return null;
  await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
  await Promise.allSettled(document.getAnimations().map((animation) => animation.finished));
  const ringed = element.id === "prompt" ? element.closest(".composer-box") : element;
  let opacity = 1;
  for (let at = element; at; at = at.parentElement) opacity *= getComputedStyle(at).opacity;
  const { width, height } = element.getBoundingClientRect();
  const name = element.getAttribute("aria-label") ?? element.labels?.[0]?.innerText ?? element.innerText;
  return {
    name: name.trim(),
    rings: getComputedStyle(ringed).outlineStyle !== "none" && parseFloat(getComputedStyle(ringed).outlineWidth) > 0,
    shows: opacity > 0.9 && width > 0 && height > 0,
  };
}"""


@dataclass(frozen=True, slots=True)
class Conversations:
    """Addresses of conversations whose last answers stand differently."""

    completed: str
    failed: str
    stopped: str
    streaming: str


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def conversations(site: Site) -> Iterator[Conversations]:
    person = site.sign_in("axe")
    completed, answer = person.begin("completed " + marker(text=RICH))
    failed, failing = person.begin("failed " + marker(fault="quota"))
    stopped, stopping = person.begin("stopped " + marker(tokens=2000, delay_ms=30))
    streaming, running = person.begin("streaming " + marker(tokens=4000, delay_ms=30))
    site.wait_for_text(stopping)
    assert person.request("POST", f"/messages/{stopping}/stop/", {})[0] == 303
    assert site.wait_until_ended(answer)["status"] == "completed"
    assert site.wait_until_ended(failing)["status"] == "failed"
    site.wait_for_text(running)
    yield Conversations(*(f"/conversations/{pk}/" for pk in (completed, failed, stopped, streaming)))
    person.request("POST", f"/messages/{running}/stop/", {})


def faults(page: Page, options: dict[str, list[str]] | None = None) -> list[str]:
    """What axe finds on a page, each as one line with the elements concerned."""
    found = Axe().run(page, options=options or {}).response["violations"]
    return [f"{fault['id']}: {[node['target'] for node in fault['nodes']]}" for fault in found]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_the_pages_of_a_person(
    browser: Browser, site: Site, conversations: Conversations, scheme: str
) -> None:
    visitor = Visitor(browser, site, "axe", color_scheme=scheme, reduced_motion="reduce")
    page = visitor.open("/conversations/")
    found = {"start": faults(page)}
    for name in ("completed", "failed", "stopped", "streaming"):
        page.goto(getattr(conversations, name))
        found[name] = faults(page)
    page.goto(conversations.completed)
    for name, opener in {"details": ".facts summary", "menu": ".menu summary", "account": ".account summary"}.items():
        page.locator(opener).click()
        found[name] = faults(page)
    page.locator("[data-help]").first.click()
    found["help"] = faults(page)
    page.goto(conversations.completed)
    page.locator(".title summary").click()
    found["rename"] = faults(page)
    for address in ("/nothing-here/", "/accounts/password/change/", "/accounts/logout/"):
        page.goto(address)
        found[address] = faults(page)
    visitor.context.clear_cookies()
    page.goto("/accounts/login/")
    found["sign-in"] = faults(page)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert").first).to_be_visible()
    found["refused sign-in"] = faults(page)
    assert {name: lines for name, lines in found.items() if lines} == {}
    visitor.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_a_phone(browser: Browser, site: Site, conversations: Conversations, scheme: str) -> None:
    phone = {"viewport": {"width": 390, "height": 800}, "has_touch": True, "is_mobile": True}
    visitor = Visitor(browser, site, "axe", color_scheme=scheme, reduced_motion="reduce", **phone)
    page = visitor.open(conversations.failed)
    found = {"failed": faults(page)}
    page.get_by_label("Show conversations").click()
    expect(page.get_by_role("link", name="New conversation")).to_be_visible()
    page.wait_for_timeout(400)  # the drawer slides in; its words have no weight before it is there
    found["drawer"] = faults(page)
    page.goto(conversations.completed)
    found["completed"] = faults(page)
    assert {name: lines for name, lines in found.items() if lines} == {}
    small = page.evaluate("""() => [...document.querySelectorAll("main :is(a, button, summary)")]
        .filter((element) => element.checkVisibility() && !element.closest(".prose, .visually-hidden, .skip"))
        .map((element) => [element.outerHTML.slice(0, 80), element.getBoundingClientRect().height])
        .filter(([, height]) => height < 44)""")
    assert small == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.locator("header.topbar").evaluate("header => header.offsetHeight") < 80
    visitor.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_the_back_office(
    browser: Browser, site: Site, conversations: Conversations, scheme: str
) -> None:
    # Django's own markup keeps to WCAG, not to every practice that axe calls good.
    wcag = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
    visitor = Visitor(browser, site, "admin", color_scheme=scheme, reduced_motion="reduce")
    page = visitor.open("/admin/conversations/conversation/")
    found = {"list": faults(page, wcag)}
    for name in ("completed", "failed", "stopped"):
        page.goto(f"/admin{getattr(conversations, name).replace('conversations', 'conversations/conversation')}change/")
        found[name] = faults(page, wcag)
    assert {name: lines for name, lines in found.items() if lines} == {}
    visitor.context.close()


def test_the_tab_key_reaches_everything_and_one_sees_where_one_is(
    browser: Browser, site: Site, conversations: Conversations
) -> None:
    visitor = Visitor(browser, site, "axe", reduced_motion="reduce")
    page = visitor.open(conversations.failed)
    met = []
    for _ in range(60):
        page.keyboard.press("Tab")
        focused = page.evaluate(FOCUSED)
        if focused is None:
            break
        met.append(focused)
    names = [focused["name"] for focused in met]
    assert names[0] == "Skip to the message box"
    assert [name for name in names if name in ("New conversation", "Retry", "Message", "Send")] == [
        "New conversation",
        "Retry",
        "Message",
        "Send",
    ]
    assert [focused for focused in met if not (focused["rings"] and focused["shows"])] == []
    visitor.context.close()


def test_the_skip_link_leads_to_the_message_box(browser: Browser, site: Site, conversations: Conversations) -> None:
    visitor = Visitor(browser, site, "axe")
    page = visitor.open(conversations.completed)
    for key in ("Tab", "Enter", "Tab"):
        page.keyboard.press(key)
    expect(page.get_by_label("Message")).to_be_focused()
    visitor.context.close()


def test_the_focus_stays_in_the_message_box_and_the_end_is_told_once(browser: Browser, site: Site) -> None:
    visitor = Visitor(browser, site, "typist")
    page = visitor.open("/conversations/")
    expect(page.get_by_label("Message")).to_be_focused()
    page.keyboard.type("first " + marker(text="One."))
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/conversations/[0-9a-f-]{36}/"))
    expect(page.locator(ANSWER)).to_have_attribute("data-status", "completed")
    expect(page.get_by_label("Message")).to_be_focused()
    page.evaluate("""() => {
      window.told = [];
      const announcer = document.getElementById("announcer");
      new MutationObserver(() => told.push(announcer.textContent)).observe(announcer, { childList: true });
    }""")

    page.keyboard.type("second " + marker(text="Two. " * 40, delay_ms=10))
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # the Send button goes away; the focus goes back to where one writes

    expect(page.locator(ANSWER)).to_have_count(2)
    expect(page.get_by_label("Message")).to_be_focused()
    page.keyboard.type("already the next")
    expect(page.locator(ANSWER).last).to_have_attribute("data-status", "completed")
    expect(page.get_by_label("Message")).to_be_focused()
    expect(page.get_by_label("Message")).to_have_value("already the next")
    wait_for(lambda: page.evaluate("told"), what="the announcement")
    assert page.evaluate("told") == ["Answer finished"]
    visitor.context.close()


def test_the_keys_do_what_the_help_sheet_says(browser: Browser, site: Site, conversations: Conversations) -> None:
    visitor = Visitor(browser, site, "axe")
    page = visitor.open(conversations.streaming)
    sheet, box = page.get_by_role("dialog"), page.get_by_label("Message")
    page.keyboard.press("?")
    assert sheet.locator("dt kbd").all_inner_texts() == ["Esc", "/", "?"]
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    page.locator(".menu summary").click()
    page.keyboard.press("Escape")
    expect(page.locator(".menu-panel")).to_be_hidden()
    expect(page.locator(ANSWER)).to_have_attribute("data-status", "streaming")
    page.locator("h1").focus()
    page.keyboard.press("/")
    expect(box).to_be_focused()
    page.keyboard.type("either/or?")
    expect(box).to_have_value("either/or?")
    visitor.context.close()


def test_enter_breaks_the_line_for_those_who_want_it(browser: Browser, site: Site) -> None:
    visitor = Visitor(browser, site, "breaker")
    page = visitor.open("/conversations/")
    page.locator(".account summary").click()
    page.locator("[data-help]").first.click()
    page.get_by_role("dialog").locator("[value=breaks]").check()
    page.keyboard.press("Escape")
    page.get_by_label("Message").focus()
    page.keyboard.type("one 1")
    page.keyboard.press("Enter")
    page.keyboard.type("two")
    expect(page.get_by_label("Message")).to_have_value("one 1\ntwo")
    page.keyboard.press("Shift+Enter")
    page.wait_for_url(re.compile(r"/conversations/[0-9a-f-]{36}/"))
    expect(page.locator(".prompt")).to_have_text("one 1two")
    visitor.context.close()
