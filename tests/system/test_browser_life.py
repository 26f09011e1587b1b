"""A conversation's whole life in Chromium: found again, taken further, concluded, carried off and gone on with."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.system.browser import ANSWER, PROMPT, Visitor, ask, chromium, press
from tests.system.site import Site, marker, wait_for


def be_answered(page: Page, prompt: str, answers: int) -> None:
    ask(page, prompt)
    expect(page.locator(ANSWER)).to_have_count(answers)
    expect(page.locator(ANSWER).last).to_have_attribute("data-status", "completed")


def offer_another_model(site: Site) -> None:
    site.sql(
        "INSERT INTO conversations_languagemodel (name, label, context_window, max_output_tokens, accepts_images,"
        " accepts_files, tools, is_local, is_enabled, is_offered) SELECT 'gpt-other', 'The other model',"
        " context_window, max_output_tokens, false, false, '[]', is_local, true, true FROM conversations_languagemodel"
        " WHERE name = 'gpt-4o' ON CONFLICT DO NOTHING"
    )


def download(page: Page, label: str) -> bytes:
    page.get_by_label("About this conversation").click()
    with page.expect_download() as download:
        page.get_by_role("link", name=re.compile(rf"\b{label}\b")).click()
    data = Path(download.value.path()).read_bytes()
    page.keyboard.press("Escape")
    page.reload()
    return data


def test_a_conversation_is_found_branched_concluded_exported_and_gone_on_with(site: Site) -> None:
    offer_another_model(site)
    with chromium() as browser:
        visitor = Visitor(browser, site, "life", reduced_motion="reduce", viewport={"width": 1280, "height": 900})
        page = visitor.open("/conversations/")
        be_answered(page, "Which vessel sank? " + marker(text="The Batavia, in 1629."), 1)
        be_answered(page, "And who was aboard? " + marker(text="Some 340 people."), 2)
        first = page.url.partition("#")[0]
        conversation = first.rstrip("/").rpartition("/")[2]
        unindexed = "SELECT count(*) FROM conversations_message WHERE conversation_id = %s AND search_vector IS NULL"
        wait_for(lambda: site.sql(unindexed, conversation) == [(0,)], seconds=40, what="the index")

        # Search, and open at the hit.
        page.goto("/conversations/find/")
        page.get_by_label("Search titles, messages and files").fill("Batavia")
        page.keyboard.press("Enter")
        expect(page.locator("mark").first).to_have_text("Batavia")
        page.get_by_role("region", name="Results").get_by_role("link").first.click()
        expect(page.locator(ANSWER)).to_have_count(2)
        assert f"/conversations/{conversation}/" in page.url
        assert "#message-" in page.url

        # Edit and branch, switch back, ask another model.
        press(page.locator(PROMPT).last, "Edit")
        editor = page.get_by_role("form", name="Edit your message")
        editor.get_by_label("Your message", exact=True).fill("And who built it? " + marker(text="Jan Rijcksen."))
        editor.get_by_role("button", name="Send").click()
        expect(page.locator(ANSWER).last).to_contain_text("Jan Rijcksen.")
        expect(page.locator(ANSWER).last).to_have_attribute("data-status", "completed")
        switch = page.get_by_role("group", name="Version 2 of 2")
        switch.get_by_role("link", name="Previous version").click()
        expect(page.locator(ANSWER).last).to_contain_text("Some 340 people.")
        press(page.locator(ANSWER).last, "Retry with…")
        form = page.get_by_role("form", name="Retry with")
        form.get_by_label("Model").select_option("gpt-other")
        form.get_by_role("button", name="Retry").click()
        expect(page.locator(ANSWER).last.get_by_role("group", name="Version 2 of 2")).to_be_visible()
        expect(page.locator(ANSWER).last).to_have_attribute("data-status", "completed")

        # Conclude: nothing can be said any more, and the seal comes.
        page.goto(first)
        page.get_by_label("About this conversation").click()
        page.get_by_role("link", name="Conclude…").click()
        page.get_by_role("button", name="Conclude").click()
        page.wait_for_url(re.compile(rf"/conversations/{conversation}/"))
        expect(page.get_by_label("Message", exact=True)).to_have_count(0)
        sealed = "SELECT sha256 FROM conversations_sealeddocument WHERE conversation_id = %s"
        wait_for(lambda: site.sql(sealed, conversation), seconds=30, what="the seal")
        page.goto(first)
        expect(page.locator("#seal")).to_contain_text("SHA-256")
        assert site.sql("SELECT kind FROM conversations_event WHERE conversation_id = %s", conversation) == [
            ("conversation.concluded",)
        ]

        # Carry it off in each format.
        rows = list(csv.DictReader(io.StringIO(download(page, "CSV").decode("utf-8-sig"))))
        assert [row["role"] for row in rows].count("user") == 3
        assert [row["role"] for row in rows].count("assistant") == 4
        assert {row["model_asked"] for row in rows if row["role"] == "assistant"} == {"gpt-4o", "gpt-other"}
        lines = [json.loads(line) for line in download(page, "JSONL").decode().splitlines()]
        assert len(lines) == 7
        text = download(page, "Markdown").decode()
        assert "Batavia" in text
        assert "Jan Rijcksen" not in text, "another path than the one that is shown"
        archive = zipfile.ZipFile(io.BytesIO(download(page, "ZIP")))
        assert archive.testzip() is None
        assert any(name.endswith("manifest.json") for name in archive.namelist())

        # Go on in a new conversation.
        page.get_by_role("button", name=re.compile("Continue")).click()
        page.wait_for_url(re.compile(rf"/conversations/(?!{conversation})[0-9a-f-]{{36}}/"))
        expect(page.locator(PROMPT)).to_have_count(2)
        be_answered(page, "What became of it? " + marker(text="It was found in 1963."), 3)
        visitor.context.close()
    assert visitor.complaints == []
    assert visitor.requests_elsewhere == []
