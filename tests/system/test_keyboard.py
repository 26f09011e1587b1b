"""A keyboard is enough: everything is reached, one sees where one is, and the keys do what the sheet says."""

import re

import pytest
from playwright.sync_api import Browser, expect

from tests.system.browser import ANSWER, CONVERSATION, Visitor
from tests.system.site import Site, marker, wait_for

# What a person at the keyboard meets: its name, whether its focus can be seen, whether it can be seen itself, and
# whether the header or the composer covers it.
FOCUSED = """async () => {
  const element = document.activeElement;
  if (element === document.body) return null;
  await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
  await Promise.allSettled(document.getAnimations().map((animation) => animation.finished));
  const ringed = element.id === "prompt" ? element.closest(".composer-box") : element;
  let opacity = 1;
  for (let at = element; at; at = at.parentElement) opacity *= getComputedStyle(at).opacity;
  const { left, top, width, height } = element.getBoundingClientRect();
  const name = element.getAttribute("aria-label") ?? element.labels?.[0]?.innerText ?? element.innerText;
  const above = document.elementFromPoint(left + width / 2, Math.min(Math.max(top + height / 2, 1), innerHeight - 1));
  return {
    name: name.trim(),
    rings: getComputedStyle(ringed).outlineStyle !== "none" && parseFloat(getComputedStyle(ringed).outlineWidth) > 0,
    shows: opacity > 0.9 && width > 0 && height > 0,
    isCovered: !(element.contains(above) || above?.contains(element)),
  };
}"""


def begin(site: Site, name: str, prompt: str, *, is_running: bool = False) -> str:
    """The page of a conversation whose answer has ended, or is being written."""
    conversation, answer = site.sign_in(name).begin(prompt)
    if is_running:
        site.wait_for_text(answer)
    else:
        site.wait_until_ended(answer)
    return f"/conversations/{conversation}/"


@pytest.mark.parametrize("height", [720, 400], ids=["screen", "zoomed"])
def test_the_tab_key_reaches_everything_and_one_sees_where_one_is(browser: Browser, site: Site, height: int) -> None:
    links = "\n\n".join(f"Read [page {number}](https://docs.example.org/{number})." for number in range(30))
    address = begin(site, f"tabber-{height}", "a thread " + marker(text=links))
    visitor = Visitor(
        browser, site, f"tabber-{height}", reduced_motion="reduce", viewport={"width": 1280, "height": height}
    )
    page = visitor.open(address)
    met = []
    for key in ["Tab"] * 75 + ["Shift+Tab"] * 40:
        page.keyboard.press(key)
        focused = page.evaluate(FOCUSED)
        if focused is not None:
            met.append(focused)
    names = [focused["name"] for focused in met]
    assert names[0] == "Skip to the message box"
    wanted = ["New conversation", "Edit", "page 0", "page 29", "Retry", "Good answer", "Bad answer", "Message", "Send"]
    first = [names.index(name) for name in wanted if name in names]
    assert len(first) == len(wanted), f"{set(wanted) - set(names)} cannot be reached"
    assert first == sorted(first)
    assert [focused for focused in met if not (focused["rings"] and focused["shows"])] == []
    assert [focused for focused in met if focused["isCovered"]] == []
    visitor.context.close()


def test_the_skip_link_leads_to_the_message_box(browser: Browser, site: Site) -> None:
    visitor = Visitor(browser, site, "skipper")
    page = visitor.open(begin(site, "skipper", "skip " + marker(text="Done.")))
    for key in ("Tab", "Enter", "Tab"):
        page.keyboard.press(key)
    expect(page.get_by_label("Message", exact=True)).to_be_focused()
    visitor.context.close()


def test_the_sheet_lists_the_keys_and_escape_closes_before_it_stops(browser: Browser, site: Site) -> None:
    visitor = Visitor(browser, site, "sheet")
    page = visitor.open(begin(site, "sheet", "keys " + marker(tokens=600, delay_ms=30), is_running=True))
    sheet, box = page.get_by_role("dialog"), page.get_by_label("Message", exact=True)
    page.locator("h1").focus()
    page.keyboard.press("?")
    assert sheet.locator("dt").all_inner_texts() == ["/", "Alt Shift N", "↑", "Esc", "?"]
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    page.locator(".menu > summary").first.click()
    page.keyboard.press("Escape")
    expect(page.locator(".menu[open]")).to_have_count(0)
    expect(page.locator(ANSWER)).to_have_attribute("data-status", re.compile("queued|streaming"))
    box.focus()
    page.keyboard.type("either/or?")
    expect(box).to_have_value("either/or?")
    page.keyboard.press("Escape")
    expect(page.locator(ANSWER)).to_have_attribute("data-status", "stopped")
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
    page.wait_for_url(CONVERSATION)
    expect(page.locator(".prompt")).to_have_text("one 1two")
    visitor.context.close()


def test_the_focus_stays_in_the_message_box_and_the_end_is_told_once(browser: Browser, site: Site) -> None:
    visitor = Visitor(browser, site, "typist")
    page = visitor.open("/conversations/")
    expect(page.get_by_label("Message")).to_be_focused()
    page.keyboard.type("first ")
    page.keyboard.insert_text(marker(text="One."))
    page.keyboard.press("Enter")
    page.wait_for_url(CONVERSATION)
    expect(page.locator(ANSWER)).to_have_attribute("data-status", "completed")
    expect(page.get_by_label("Message")).to_be_focused()
    page.evaluate("""() => {
      window.told = [];
      const announcer = document.getElementById("announcer");
      new MutationObserver(() => told.push(announcer.textContent)).observe(announcer, { childList: true });
    }""")

    page.keyboard.type("second ")
    page.keyboard.insert_text(marker(text="Two. " * 40, delay_ms=10))
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


def test_keys_search_begin_anew_and_edit_the_last_prompt(browser: Browser, site: Site) -> None:
    address = begin(site, "keyboarder", "press keys " + marker(text="Done."))
    visitor = Visitor(browser, site, "keyboarder")
    page = visitor.open(address)
    box = page.get_by_label("Message", exact=True)
    box.fill("a draft")
    page.keyboard.press("ArrowUp")
    expect(box).to_be_focused()  # the caret moves, nothing is edited
    box.fill("")
    page.keyboard.press("ArrowUp")
    edit = page.locator(".version-form textarea")
    expect(edit).to_be_focused()
    expect(edit).to_have_value(re.compile("^press keys"))
    page.keyboard.press("Escape")
    expect(edit).to_have_count(0)
    page.locator("body").click(position={"x": 640, "y": 100})
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox").first).to_be_focused()
    page.keyboard.press("Alt+Shift+N")
    page.wait_for_url(re.compile("/conversations/$"))
    expect(page.get_by_label("Message")).to_be_focused()
    assert visitor.complaints == []
    visitor.context.close()


def test_single_keys_can_be_switched_off(browser: Browser, site: Site) -> None:
    address = begin(site, "speaker", "dictation " + marker(text="Done."))
    visitor = Visitor(browser, site, "speaker")
    page = visitor.open(address)
    sheet = page.get_by_role("dialog")
    page.locator("h1").focus()
    page.keyboard.press("?")
    sheet.get_by_label("and ? are shortcuts").uncheck()
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    page.reload()
    page.locator("h1").focus()
    page.keyboard.press("?")
    page.keyboard.press("/")
    expect(sheet).to_be_hidden()
    expect(page.get_by_role("searchbox").first).not_to_be_focused()
    visitor.context.close()
