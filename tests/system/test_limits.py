"""Limits as they are met: many requests at once to real web processes, and a person at a browser."""

import uuid
from functools import partial

import pytest
from playwright.sync_api import expect

from chatapp.embedded.ports import find_free_port
from tests.fakes.process import FakeOpenAI
from tests.system.browser import Visitor, chromium
from tests.system.calls import answer_calls
from tests.system.client import Client
from tests.system.site import Site, marker, wait_for
from tests.together import at_once


def limit(site: Site, person: str, amount: int, *, used: int) -> None:
    """Let a person have a limit of tokens for the day, some of them used already."""
    site.sql(
        "INSERT INTO conversations_usagelimit (user_id, measure, period, amount)"
        " SELECT id, 'tokens', 'day', %s FROM accounts_user WHERE username = %s",
        amount,
        person,
    )
    site.sql(
        "INSERT INTO conversations_usageday (owner_id, day, model_id, calls, estimated_calls, unpriced_calls,"
        " input_tokens, cached_tokens, output_tokens, reasoning_tokens, cost)"
        " SELECT person.id, (now() AT TIME ZONE 'UTC')::date, model.id, 1, 0, 0, %s, 0, 0, 0, 0"
        " FROM accounts_user AS person, conversations_languagemodel AS model"
        " WHERE person.username = %s AND model.name = 'gpt-4o'",
        used,
        person,
    )


def used(site: Site, person: str) -> int:
    rows = site.sql(
        "SELECT sum(input_tokens + output_tokens) FROM conversations_usageday"
        " WHERE owner_id = (SELECT id FROM accounts_user WHERE username = %s)",
        person,
    )
    return int(rows[0][0])


def start_at_once(site: Site, person: str, count: int, prompt: str) -> list[tuple[int, str | None]]:
    """Begin many conversations at the same moment, by turns at two web processes; return statuses and Retry-After."""
    second = find_free_port()
    site.start_web("second web", second)
    browsers = [site.sign_in(person), site.sign_in(person, port=second)]

    def start(browser: Client) -> tuple[int, str | None]:
        form = {"prompt": prompt, "assistant": "general", "client_token": str(uuid.uuid4())}
        status, _, headers = browser.request("POST", "/conversations/", form)
        return status, headers.get("retry-after")

    answers = at_once(*(partial(start, browsers[number % 2]) for number in range(count)), seconds=60)
    site.kill("second web")
    return answers


def test_q3_of_50_requests_at_once_with_one_token_left_exactly_one_goes_through(site: Site, openai: FakeOpenAI) -> None:
    site.sign_in("greedy")
    limit(site, "greedy", 1000, used=999)

    answers = start_at_once(site, "greedy", 50, "at-the-limit " + marker(tokens=20))

    statuses = sorted(status for status, _ in answers)
    assert statuses == [303] + [429] * 49
    assert all(int(seconds or 0) > 0 for status, seconds in answers if status == 429)
    ended = "SELECT count(*) FROM conversations_usageday WHERE calls > 1"
    wait_for(lambda: site.sql(ended) != [(0,)], what="the booking of the answer")
    assert len(answer_calls(openai, "at-the-limit")) == 1
    assert used(site, "greedy") > 1000  # the answer that ran went past the limit, and is counted
    assert start_at_once(site, "greedy", 1, "once more")[0][0] == 429


def test_q1_of_50_requests_at_once_as_many_go_through_as_one_person_may_have(site: Site) -> None:
    person = site.sign_in("hasty")
    other, _ = site.sign_in("patient"), site.sign_in("hasty")

    answers = start_at_once(site, "hasty", 50, "hasty " + marker(tokens=2000, delay_ms=30))

    assert sorted(status for status, _ in answers) == [303] * 20 + [429] * 30
    other.begin("an answer for somebody else")
    running = site.sql(
        "SELECT message.id::text FROM conversations_message AS message"
        " JOIN accounts_user AS person ON person.id = message.owner_id"
        " WHERE person.username = 'hasty' AND message.status IN ('queued', 'streaming')"
    )
    assert len(running) == 20
    for (answer,) in running:
        assert person.request("POST", f"/messages/{answer}/stop/", {})[0] == 303


@pytest.mark.parametrize("has_scripts", [True, False], ids=["scripts", "no-scripts"])
def test_q2_at_the_limit_a_person_reads_why_and_keeps_the_text(site: Site, has_scripts: bool) -> None:
    name = f"limited-{has_scripts}"
    site.sign_in(name)
    limit(site, name, 500, used=512)
    with chromium() as browser:
        visitor = Visitor(browser, site, name, java_script_enabled=has_scripts)
        page = visitor.open("/conversations/")
        page.get_by_role("textbox", name="Message").fill("What I meant to ask")
        page.get_by_role("button", name="Send", exact=True).click()
        told = "You have used your 500 tokens of today (512 used). It resets tomorrow at 00:00 UTC."
        expect(page.get_by_role("alert")).to_have_text(told)
        expect(page.get_by_role("textbox", name="Message")).to_have_value("What I meant to ask")
        if has_scripts:  # kept over a reload, too
            page.reload()
            expect(page.get_by_role("textbox", name="Message")).to_have_value("What I meant to ask")
            page.locator(".account summary").click()
            page.get_by_role("link", name="Usage and limits").click()
            expect(page.get_by_role("heading", name="Usage", exact=True)).to_be_visible()
            expect(page.locator(".limit-reached")).to_contain_text("512 of 500 tokens used")
            assert visitor.requests_elsewhere == []
