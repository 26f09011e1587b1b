"""A reviewer's work, in Chromium, from the queue to the verdict, and what is written down of it."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.factories import PNG
from tests.system.browser import ANSWER, FITS, PHONE, Visitor, ask, faults
from tests.system.jobs import index_words_of, run_job
from tests.system.site import Site, marker, wait_for

WORD = "quillwort"  # which no other test says
POLICY = """
INSERT INTO records_reviewpolicy (name, kind, keywords, is_enabled, created_at)
VALUES ('Ferns', 'keywords', %s, true, now()) RETURNING id
"""
RIGHT = """
INSERT INTO accounts_user_user_permissions (user_id, permission_id)
SELECT person.id, permission.id FROM accounts_user AS person, auth_permission AS permission
WHERE person.username = %s AND permission.codename = 'review_conversation'
"""
DEEDS = """
SELECT kind, object_id, reason FROM audit_auditevent
WHERE actor_id = (SELECT id FROM accounts_user WHERE username = %s) ORDER BY seq
"""
CONVERSATION = re.compile(r"/conversations/([0-9a-f-]{36})/")
TRANSCRIPT = re.compile(r"/admin/conversations/conversation/([0-9a-f-]{36})/change/")


@dataclass
class Journey:
    """A site whose queue holds two conversations of one person, the first of them with a picture."""

    site: Site
    browser: Browser
    conversations: list[str]
    policy_id: int


@pytest.fixture(scope="module")
def journey(site: Site, browser: Browser) -> Journey:
    ((policy_id,),) = site.sql(POLICY, WORD)
    site.sql("INSERT INTO records_reviewlabel (name, is_enabled) VALUES ('Botany', true)")
    owner = Visitor(browser, site, "botanist")
    page = owner.open("/conversations/")
    page.wait_for_load_state()
    page.locator("#files").set_input_files({"name": "leaf.png", "mimeType": "image/png", "buffer": PNG})
    expect(page.locator(".chip[data-state=ready]")).to_have_count(1)
    ask(page, f"Is this a {WORD}? {marker(text='It is one.')}")
    page.wait_for_url(CONVERSATION)
    expect(page.locator(ANSWER)).to_have_attribute("data-status", "completed", timeout=30_000)
    found = CONVERSATION.search(page.url)
    assert found is not None
    second, answer = site.sign_in("botanist").begin(f"Two {WORD}s {marker(text='And again.')}")
    site.wait_until_ended(answer)
    owner.context.close()
    index_words_of(site, "botanist")
    run_job(site, "records.tasks.fill_review_queue", "background")
    return Journey(site, browser, [found[1], second], policy_id)


def reviewer(journey: Journey, name: str, **options: object) -> Visitor:
    visitor = Visitor(journey.browser, journey.site, name, **options)
    journey.site.sql("UPDATE accounts_user SET is_staff = true WHERE username = %s", name)
    journey.site.sql(RIGHT, name)
    return visitor


def say_why(page: Page, why: str) -> None:
    page.get_by_label("Reason").fill(why)
    page.get_by_role("button", name="Go on").click()


def transcript_of(page: Page) -> str:
    page.wait_for_url(TRANSCRIPT)
    found = TRANSCRIPT.search(page.url)
    assert found is not None
    return found[1]


def test_a_reviewer_filters_claims_reads_sees_a_file_decides_and_goes_on(journey: Journey) -> None:
    first, second = journey.conversations
    visitor = reviewer(journey, "ada")
    page = visitor.open("/admin/records/review/")
    say_why(page, "Case 2026-17")
    page.get_by_role("link", name="Ferns", exact=True).click()
    rows = page.locator("#result_list tbody tr")
    expect(rows).to_have_count(2)
    rows.first.get_by_role("button", name=re.compile("^Claim")).click()
    assert transcript_of(page) == first
    expect(page.locator("#review")).to_contain_text("Yours")
    expect(page.locator("#review .review-reasons")).to_contain_text(WORD)
    picture = page.locator(".transcript .attachments img").first
    wait_for(lambda: picture.evaluate("image => image.naturalWidth > 0"), what="the picture")
    expect(page.locator(".transcript")).to_contain_text("It is one.")
    file = page.locator(".transcript .attachments a").first.get_attribute("href")
    assert visitor.context.request.get(str(file)).body() == PNG

    page.get_by_label("A concern").check()
    page.get_by_label("Botany").check()
    page.get_by_label("Note", exact=True).fill("No leaf of that kind.")
    page.get_by_role("button", name="Give verdict, take the next").click()
    page.wait_for_url(lambda address: second in address)
    page.locator("#review").get_by_role("button", name="Give back").click()
    page.wait_for_url("**/admin/records/review/")
    page.get_by_role("link", name="Progress").click()
    expect(page.get_by_role("row", name=re.compile("^ada"))).to_contain_text("1")
    assert (visitor.complaints, visitor.requests_elsewhere) == ([], [])
    visitor.context.close()

    ((done, verdict, note),) = journey.site.sql(
        "SELECT id::text, verdict, note FROM records_review WHERE conversation_id = %s", first
    )
    ((waiting,),) = journey.site.sql("SELECT id::text FROM records_review WHERE conversation_id = %s", second)
    ((picture_id,),) = journey.site.sql(
        "SELECT a.id::text FROM conversations_attachment a JOIN conversations_message m ON m.id = a.message_id"
        " WHERE m.conversation_id = %s",
        first,
    )
    assert (verdict, note) == ("concern", "No leaf of that kind.")
    deeds = [(kind, of) for kind, of, _ in journey.site.sql(DEEDS, "ada")]
    assert deeds == [
        ("sitting.began", ""),
        ("review.claimed", done),
        ("conversation.read", first),
        ("file.read", picture_id),
        ("review.decided", done),
        ("review.claimed", waiting),
        ("conversation.read", second),
        ("review.returned", waiting),
    ]
    assert {why for _, _, why in journey.site.sql(DEEDS, "ada")} == {"Case 2026-17"}


def test_without_scripts_and_on_a_phone_the_same_can_be_done_and_the_owner_is_told(journey: Journey) -> None:
    phone = {"viewport": {"width": 390, "height": 844}, "java_script_enabled": False}
    visitor = reviewer(journey, "grace", **phone)
    page = visitor.open("/admin/records/review/")
    say_why(page, "Case 2026-18")
    page.get_by_role("button", name="Take the next").click()
    conversation = transcript_of(page)
    page.get_by_role("button", name="Give verdict", exact=True).click()
    expect(page.get_by_text("Choose what you found.")).to_be_visible()
    page.get_by_label("Nothing to object to").check()
    page.get_by_role("button", name="Give verdict", exact=True).click()
    expect(page.locator(".messagelist")).to_contain_text("is kept")
    visitor.context.close()

    owner = Visitor(journey.browser, journey.site, "botanist")
    told = owner.open("/account/").locator("main")
    expect(told.locator(f'a[href="/conversations/{conversation}/"]')).to_be_visible()
    expect(told).to_contain_text("Read")
    expect(told).not_to_contain_text("grace")
    expect(told).not_to_contain_text("Case 2026")
    owner.context.close()


def test_what_reviewers_see_fits_a_phone_and_axe_finds_no_fault(journey: Journey) -> None:
    visitor = reviewer(journey, "edith", **PHONE)
    page = visitor.open("/admin/records/review/")
    say_why(page, "Case 2026-19")
    conversation = f"/admin/conversations/conversation/{journey.conversations[1]}/change/"
    for address in ("/admin/records/review/?standing=all", conversation, "/admin/records/review/progress/"):
        page.goto(address)
        assert page.evaluate(FITS), address
        assert faults(page) == [], address
    page.goto(conversation)
    page.get_by_role("button", name=re.compile("^(Review|Claim) it")).click()
    expect(page.locator("#review")).to_contain_text("Yours")
    assert page.evaluate(FITS)
    assert faults(page) == []
    visitor.context.close()
