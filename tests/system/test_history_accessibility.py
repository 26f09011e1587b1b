"""Everybody can find and sort what they said: axe finds nothing in either theme, fingers and keys reach everything."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.system.browser import PHONE, Visitor, faults_in_both_themes
from tests.system.site import Site, marker, wait_for

UNINDEXED = "SELECT count(*) FROM conversations_message WHERE search_vector IS NULL AND status = 'completed'"
# What a finger cannot hit: less than 44 px high; of a box its label counts.
SMALL = """() => [...document.querySelectorAll("main :is(a, button, summary, select, input), .rail-search *")]
    .filter((element) => element.checkVisibility() && !element.matches(".skip, [type=hidden], .line-title"))
    .map((element) => [element.outerHTML.slice(0, 90), (element.closest("label") ?? element).offsetHeight])
    .filter(([, height]) => height < 44)"""


@pytest.fixture(scope="module")
def said(site: Site) -> Iterator[str]:
    """Conversations in every state; the address of one of them."""
    person = site.sign_in("everybody")
    conversation = ""
    for state in ("pinned_at = now()", "seen_at = created_at", "hidden_at = now()", "is_title_provisional = false"):
        conversation, answer = person.begin("umbrella " + marker(text="An **umbrella** is kept."))
        assert site.wait_until_ended(answer)["status"] == "completed"
        site.sql(f"UPDATE conversations_conversation SET {state} WHERE id = %s", conversation)
    _, running = person.begin("running " + marker(tokens=1200, delay_ms=250))
    site.wait_for_text(running)
    wait_for(lambda: site.sql(UNINDEXED)[0][0] == 0, what="the words of the messages")
    yield f"/conversations/{conversation}/"
    person.request("POST", f"/messages/{running}/stop/", {})


def states(conversation: str) -> dict[str, str]:
    return {
        "list": "/conversations/find/",
        "hits": "/conversations/find/?q=umbrella",
        "nothing": "/conversations/find/?q=zzz&from=2020-01-01",
        "refused": "/conversations/find/?q=-umbrella",
        "deleted": "/conversations/deleted/",
        "question": f"{conversation}hide/",
        "rail": "/conversations/",
    }


def test_axe_finds_nothing_where_one_searches_and_sorts(browser: Browser, site: Site, said: str) -> None:
    visitor = Visitor(browser, site, "everybody", reduced_motion="reduce")
    page = visitor.open("/conversations/")
    expect(page.locator("#rail-pinned")).to_be_visible()
    expect(page.locator(".rail-running")).to_have_count(1)
    expect(page.locator(".rail-mark:not(.rail-running)")).to_have_count(1)
    found = {}
    for name, address in states(said).items():
        page.goto(address)
        found[name] = faults_in_both_themes(page)
    page.goto("/conversations/find/?q=umbrella")
    page.get_by_role("checkbox").nth(1).check()
    found["selected"] = faults_in_both_themes(page)
    page.goto(said)
    page.locator(".menu summary").click()
    found["menu"] = faults_in_both_themes(page)
    assert {name: lines for name, lines in found.items() if lines} == {}
    visitor.context.close()


def test_axe_finds_nothing_there_on_a_phone_and_fingers_hit_everything(browser: Browser, site: Site, said: str) -> None:
    visitor = Visitor(browser, site, "everybody", reduced_motion="reduce", **PHONE)
    page = visitor.open("/conversations/")
    page.get_by_label("Show conversations").click()
    page.wait_for_timeout(400)  # the drawer slides in
    found, small, wide = {"drawer": faults_in_both_themes(page)}, {"drawer": page.evaluate(SMALL)}, []
    for name, address in states(said).items():
        page.goto(address)
        found[name], small[name] = faults_in_both_themes(page), page.evaluate(SMALL)
        if not page.evaluate("document.documentElement.scrollWidth <= innerWidth"):
            wide.append(name)
    assert {name: lines for name, lines in found.items() if lines} == {}
    assert {name: lines for name, lines in small.items() if lines} == {}
    assert wide == []
    visitor.context.close()


def test_the_tab_key_walks_the_results_in_their_order(browser: Browser, site: Site, said: str) -> None:
    visitor = Visitor(browser, site, "everybody", reduced_motion="reduce")
    page = visitor.open("/conversations/find/?q=umbrella")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the results")).to_be_focused()
    page.keyboard.press("Enter")
    met = []
    for _ in range(8):
        page.keyboard.press("Tab")
        met.append(page.evaluate("document.activeElement.matches('[name=conversation], .line-title')"))
        ring = "getComputedStyle(document.activeElement, {}).outlineStyle !== 'none'"
        is_link = page.evaluate("document.activeElement.matches('.line-title')")
        assert page.evaluate(ring.format("'::after'" if is_link else "null"))
    assert met[-4:] == [True] * 4
    visitor.context.close()
