"""The reading room in Chromium: what a reviewer finds, opens and searches, and what is written down of it."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.system.browser import FITS, PHONE, Visitor, faults_in_both_themes
from tests.system.jobs import index_words_of, run_job
from tests.system.site import Site, marker, wait_for

WORD = "samphire"  # which no other test says
RIGHT = """
INSERT INTO accounts_user_user_permissions (user_id, permission_id)
SELECT person.id, permission.id FROM accounts_user AS person, auth_permission AS permission
WHERE person.username = %s AND permission.codename = 'review_conversation'
"""
STALE = "SELECT count(*) FROM records_staleconversation WHERE conversation_id = %s"
DEEDS = """
SELECT kind, object_id, reason, details FROM audit_auditevent
WHERE actor_id = (SELECT id FROM accounts_user WHERE username = %s) ORDER BY seq
"""


@dataclass
class Room:
    """A site in which somebody said something, with a reviewer."""

    site: Site
    browser: Browser
    conversation: str

    def reviewer(self, name: str, **options: object) -> Visitor:
        visitor = Visitor(self.browser, self.site, name, **options)
        self.site.sql("UPDATE accounts_user SET is_staff = true WHERE username = %s", name)
        self.site.sql(RIGHT, name)
        return visitor


@pytest.fixture(scope="module")
def room(site: Site, browser: Browser) -> Room:
    conversation, answer = site.sign_in("forager").begin(f"Where does {WORD} grow? {marker(text='By the **sea**.')}")
    site.wait_until_ended(answer)
    index_words_of(site, "forager")
    run_job(site, "records.tasks.keep_facts", "background")
    wait_for(lambda: not site.sql(STALE, conversation)[0][0], what="the sums")
    return Room(site, browser, conversation)


def say_why(page: Page, why: str) -> None:
    page.get_by_label("Reason").fill(why)
    page.get_by_role("button", name="Go on").click()


def test_a_reviewer_filters_searches_and_reads_and_that_is_written_down(room: Room) -> None:
    visitor = room.reviewer("marsha")
    page = visitor.open("/admin/conversations/conversation/")
    page.get_by_text("Filters", exact=True).click()
    page.get_by_role("textbox", name="Owner").fill("forager")
    page.get_by_label("Has files").select_option("no")
    page.get_by_role("button", name="Apply").click()
    rows = page.locator("#result_list tbody tr")
    expect(rows).to_have_count(1)
    expect(rows.locator(".field-messages")).to_have_text("2")

    page.get_by_label("Search what was said").fill(WORD)
    page.get_by_role("button", name="Search").click()
    say_why(page, "Case 2026-18")
    expect(page.get_by_role("textbox", name="Owner")).to_have_value("forager")
    expect(page.locator(".hit mark").first).to_have_text(WORD)
    page.locator(".hit-title").first.click()
    message = page.locator("article.message-user")
    expect(message).to_contain_text(WORD)
    assert page.url.endswith(str(message.get_attribute("id")))
    expect(page.locator("article.message-assistant strong").last).to_have_text("sea")
    page.get_by_text("1 model call", exact=True).click()
    expect(page.locator(".transcript-calls .calls").first).to_be_visible()
    assert (visitor.complaints, visitor.requests_elsewhere) == ([], [])
    visitor.context.close()

    ((owner,),) = room.site.sql("SELECT id FROM accounts_user WHERE username = 'forager'")
    deeds = room.site.sql(DEEDS, "marsha")
    assert [(kind, of) for kind, of, _, _ in deeds] == [
        ("sitting.began", ""),
        ("conversation.searched", ""),
        ("conversation.read", room.conversation),
    ]
    assert {why for _, _, why, _ in deeds} == {"Case 2026-18"}
    told = json.loads(deeds[1][3]) if isinstance(deeds[1][3], str) else deeds[1][3]
    assert told == {"owners_asked": [owner], "files": "no", "matches": 1, "page": 1, "owners": [owner]}
    assert WORD not in str(deeds)


def test_axe_finds_nothing_in_the_reading_room_and_a_phone_shows_it(room: Room) -> None:
    visitor = room.reviewer("reader", reduced_motion="reduce", **PHONE)
    base = "/admin/conversations/conversation/"
    page = visitor.open(f"{base}search/")
    say_why(page, "Case 2026-19")
    addresses = {
        "list": base,
        "filtered": f"{base}?owner=forager",
        "refused": f"{base}?from=31.02.2026&owner=nobody+at+all",
        "search": f"{base}search/",
        "hits": f"{base}search/?q={WORD}",
        "nothing": f"{base}search/?q=zzzz",
        "transcript": f"{base}{room.conversation}/change/",
    }
    found = {}
    for name, address in addresses.items():
        page.goto(address)
        found[name] = (faults_in_both_themes(page), page.evaluate(FITS))
    assert found == dict.fromkeys(addresses, ([], True))
    visitor.context.close()
