"""Both example front ends, in a browser, and OpenAI's own client: live, they chat, and what is said is on record."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import openai as vendor
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.fakes.process import FakeOpenAI
from tests.system.site import Site

PATIENCE = 30_000
pytestmark = pytest.mark.timeout(900)  # the first test of a checkout installs what they need


@pytest.fixture(scope="module")
def context(browser: Browser) -> Iterator[BrowserContext]:
    """One for all pages: it keeps the megabytes of scripts that the front ends consist of."""
    context = browser.new_context(accept_downloads=True)
    context.set_default_timeout(PATIENCE)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    page = context.new_page()
    yield page
    page.close()
    context.clear_cookies()


@pytest.fixture(autouse=True)
def _as_before(openai: FakeOpenAI) -> Iterator[None]:
    yield
    openai.reset()


def record(site: Site) -> list[tuple[str, str, bool]]:
    """What the newest conversation has on record."""
    return site.sql(
        "SELECT role, text, is_supplied FROM conversations_message WHERE conversation_id ="
        " (SELECT max(id::text)::uuid FROM conversations_conversation) ORDER BY id"
    )


def conversations(site: Site) -> int:
    return int(site.sql("SELECT count(*) FROM conversations_conversation")[0][0])


def say(page: Page, prompt: str) -> None:
    field = page.get_by_label("Message", exact=True)
    field.fill(prompt)
    field.blur()
    page.get_by_role("button", name="Send").click()


def test_the_streamlit_front_end_chats_clears_and_hands_out_a_table(
    streamlit: str, page: Page, site: Site, openai: FakeOpenAI, tmp_path: Path
) -> None:
    openai.script(
        [
            {"text": "=First", "usage": {"input_tokens": 1000, "output_tokens": 100, "total_tokens": 1100}},
            {"text": "Second", "usage": {"input_tokens": 2000, "output_tokens": 100, "total_tokens": 2100}},
        ]
    )
    before = conversations(site)
    page.goto(streamlit)
    say(page, "One")
    messages = page.get_by_test_id("stChatMessageContent")
    expect(messages).to_have_text(["=First", "One"], timeout=PATIENCE)
    expect(page.get_by_test_id("stMetricValue")).to_have_text(["1,100", "$0.003500"])
    expect(page.get_by_label("Message", exact=True)).to_have_value("")

    say(page, "Two")
    expect(messages).to_have_text(["Second", "Two", "=First", "One"], timeout=PATIENCE)  # the newest first
    expect(page.get_by_test_id("stMetricValue")).to_have_text(["3,200", "$0.009500"])
    assert record(site) == [
        ("user", "One", False),
        ("assistant", "=First", False),
        ("user", "Two", False),
        ("assistant", "Second", False),
    ]
    assert conversations(site) == before + 1

    with page.expect_download() as download:
        page.get_by_role("button", name="Download CSV").click()
    download.value.save_as(tmp_path / "chat.csv")
    table = list(csv.reader(io.StringIO((tmp_path / "chat.csv").read_text("utf-8-sig"))))
    assert table == [
        ["role", "content"], ["user", "One"], ["assistant", "'=First"], ["user", "Two"], ["assistant", "Second"]
    ]  # fmt: skip

    page.get_by_role("button", name="Clear").click()
    expect(messages).to_have_count(0)
    expect(page.get_by_test_id("stMetricValue")).to_have_text(["0", "$0.000000"])
    assert len(record(site)) == 4


def test_the_streamlit_front_end_tells_of_a_fault_and_keeps_the_prompt(
    streamlit: str, page: Page, site: Site, openai: FakeOpenAI
) -> None:
    openai.script([{"status": 401, "error": {"code": "invalid_api_key"}}, {"text": "First"}])
    before = conversations(site)
    page.goto(streamlit)
    say(page, "One")
    expect(page.get_by_test_id("stAlert")).to_contain_text("did not accept our key", timeout=PATIENCE)
    expect(page.get_by_label("Message", exact=True)).to_have_value("One")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_test_id("stChatMessageContent")).to_have_text(["First", "One"], timeout=PATIENCE)
    assert conversations(site) == before + 1


def test_the_gradio_front_end_chats_in_one_conversation(
    gradio: str, page: Page, site: Site, openai: FakeOpenAI
) -> None:
    openai.script([{"text": "First"}, {"text": "**Second**"}])
    before = conversations(site)
    page.goto(gradio)
    field = page.get_by_role("textbox").first
    for prompt, answer in (("One", "First"), ("Two", "Second")):
        field.fill(prompt)
        field.press("Enter")
        expect(page.locator(".bot.message").last).to_contain_text(answer, timeout=PATIENCE)
    assert record(site) == [
        ("user", "One", False),
        ("assistant", "First", False),
        ("user", "Two", False),
        ("assistant", "**Second**", False),
    ]
    assert conversations(site) == before + 1


def test_the_gradio_front_end_tells_of_a_fault(gradio: str, page: Page, openai: FakeOpenAI) -> None:
    openai.script([{"status": 401, "error": {"code": "invalid_api_key"}}])
    page.goto(gradio)
    field = page.get_by_role("textbox").first
    field.fill("One")
    field.press("Enter")
    expect(page.get_by_text("did not accept our key").first).to_be_visible(timeout=PATIENCE)


def test_openais_own_client_talks_streams_and_is_recorded(site: Site, token: str, openai: FakeOpenAI) -> None:
    openai.script([{"text": "First"}, {"texts": ["Sec", "ond"], "gap": {"after": 1, "ms": 1500}}, {"text": "Third"}])
    with vendor.OpenAI(api_key=token, base_url=f"{site.url}/v1", max_retries=0) as client:
        names = [model.id for model in client.models.list()]
        first = client.responses.create(model=names[0], instructions="Be brief.", input="One")
        assert first.output_text == "First"
        assert first.conversation is not None
        where = first.conversation.id

        messages: list[vendor.types.chat.ChatCompletionMessageParam] = [
            {"role": "user", "content": "One"},
            {"role": "assistant", "content": "First"},
            {"role": "user", "content": "Two"},
        ]
        stream = client.chat.completions.create(
            model=names[0], messages=messages, stream=True, extra_body={"conversation": where}
        )
        pieces, running = [], False
        for chunk in stream:
            piece = chunk.choices[0].delta.content
            if piece:
                pieces.append(piece)
                running = running or bool(site.sql("SELECT 1 FROM conversations_message WHERE status = 'streaming'"))
        assert (pieces, running) == (["Sec", "ond"], True)  # the text came while it was being written

        third = client.responses.create(model=names[0], input="Three", conversation=where, stream=True)
        assert [event.delta for event in third if event.type == "response.output_text.delta"] == ["Third"]
    assert [text for _, text, _ in record(site)] == ["One", "First", "Two", "Second", "Three", "Third"]
    owners = site.sql(
        "SELECT username FROM accounts_user AS person JOIN conversations_conversation AS conversation"
        " ON conversation.owner_id = person.id WHERE conversation.id = %s",
        where,
    )
    assert owners == [("anna",)]
