"""The life of one message, from the form to the row, with the processes as they run."""

import re
import threading
import uuid
from urllib.parse import urlsplit

from chatapp.embedded.ports import find_free_port
from tests.fakes.process import FakeOpenAI
from tests.system.calls import answer_calls
from tests.system.client import Client
from tests.system.site import Site, marker, wait_for


def test_a_prompt_is_answered_streamed_and_recorded(site: Site, openai: FakeOpenAI) -> None:
    browser = site.sign_in()
    text = "First paragraph, one-one.\n\n```python\nprint(1)\n```\n\nLast *words*."
    _, answer = browser.begin("one-one " + marker(text=text, delay_ms=60))

    events = list(browser.stream(answer))

    assert events[-1]["event"] == "done"
    assert f"#message-{answer}-open" in events[0]["data"]
    assert f'hx-target="#message-{answer}" hx-swap="outerHTML"' in events[-2]["data"]
    assert len(events) > 3
    row = site.message(answer)
    assert (row["status"], row["text"]) == ("completed", text)
    call = site.sql(
        "SELECT status, model_asked, model_answered, usage_source, input_tokens > 0, output_tokens > 0, cost > 0,"
        " response_id <> '', started_at < first_text_at, first_text_at < finished_at, parameters"
        " FROM conversations_generation WHERE message_id = %s",
        answer,
    )
    assert call[0][0] == "completed"
    assert call[0][3:10] == ("exact", True, True, True, True, True, True)
    assert site.sql("SELECT count(*) FROM conversations_messagechunk WHERE message_id = %s", answer) == [(0,)]
    assert len(answer_calls(openai, "one-one")) == 1


def test_stop_ends_the_answer_at_once_and_keeps_what_was_written(site: Site, openai: FakeOpenAI) -> None:
    browser = site.sign_in()
    conversation, answer = browser.begin("stop-me " + marker(tokens=400, delay_ms=50))
    shown = site.wait_for_text(answer, 20)

    status, _, _ = browser.request("POST", f"/messages/{answer}/stop/", {})

    assert status == 303
    row = site.message(answer)
    assert row["status"] == "stopped"
    assert row["text"].startswith(shown)
    wait_for(lambda: answer_calls(openai, "stop-me")[0]["closed_early"], what="the closing of the stream")
    assert site.message(answer) == row
    assert site.sql("SELECT status, usage_source FROM conversations_generation WHERE message_id = %s", answer) == [
        ("stopped", "estimated")
    ]
    browser.request("POST", f"/messages/{answer}/stop/", {})
    assert site.message(answer) == row

    status, _, _ = browser.request("POST", f"/messages/{answer}/retry/", {})
    assert status == 303
    siblings = site.sql(
        "SELECT id::text, status FROM conversations_message WHERE conversation_id = %s AND role = 'assistant'"
        " ORDER BY id",
        conversation,
    )
    assert len(siblings) == 2
    assert siblings[0] == (answer, "stopped")
    browser.request("POST", f"/messages/{siblings[1][0]}/stop/", {})


def test_c12_a_send_while_an_answer_runs_is_refused_and_the_text_is_kept(site: Site) -> None:
    browser = site.sign_in()
    conversation, answer = browser.begin("busy " + marker(tokens=400, delay_ms=50))
    form = {"prompt": "my draft-4711", "client_token": str(uuid.uuid4())}

    status, page, _ = browser.request("POST", f"/conversations/{conversation}/messages/", form, {"HX-Request": "true"})

    assert status == 409
    assert "draft-4711" in page
    assert "still being written" in page
    assert site.sql("SELECT count(*) FROM conversations_message WHERE conversation_id = %s", conversation) == [(2,)]
    browser.request("POST", f"/messages/{answer}/stop/", {})


def test_c2_c3_two_tabs_and_twenty_reloads_see_the_same_text_and_cost_one_call(site: Site, openai: FakeOpenAI) -> None:
    browser = site.sign_in()
    text = "\n\n".join(f"Paragraph {number} of the answer." for number in range(40))
    conversation, answer = browser.begin("reload-me " + marker(text=text, delay_ms=10))
    seen: list[list[dict[str, str]]] = [[], []]
    tabs = [threading.Thread(target=lambda events=events: events.extend(browser.stream(answer))) for events in seen]
    for tab in tabs:
        tab.start()

    shown = 0
    for _ in range(20):
        status, page, _ = browser.request("GET", f"/conversations/{conversation}/")
        assert status == 200
        paragraphs = [f">Paragraph {number} of the answer.<" in page for number in range(40)]
        assert sum(paragraphs) >= shown
        assert paragraphs == sorted(paragraphs, reverse=True)
        assert page.count(">Paragraph 0 of") <= 1
        shown = sum(paragraphs)
    for tab in tabs:
        tab.join()

    finals = [events[-2]["data"] for events in seen]
    assert finals[0] == finals[1]
    for events in seen:
        appended = "".join(finished_blocks(event["data"]) for event in events[:-2]).splitlines()
        assert [line for line in appended if line] == [
            f"<p>Paragraph {number} of the answer.</p>" for number in range(len(list(filter(None, appended))))
        ]
    assert site.message(answer)["text"] == text
    assert len(answer_calls(openai, "reload-me")) == 1


def test_c6_a_reconnect_goes_on_at_the_last_finished_block_on_any_process(site: Site) -> None:
    browser = site.sign_in()
    text = "\n\n".join(f"Paragraph {number}." for number in range(30))
    other = Client(site, browser.session_key, urlsplit(site.start_web("web two", find_free_port())).port or 0)
    _, answer = browser.begin("reconnect " + marker(text=text, delay_ms=40))

    finished, last_id = "", ""
    for event in browser.stream(answer):
        finished += finished_blocks(event["data"])
        last_id = event["id"]
        if finished.count("<p>") > 5:
            break
    for event in other.stream(answer, last_event_id=last_id):
        if "id" in event:
            finished += finished_blocks(event["data"])

    appended = [line for line in finished.splitlines() if line]
    assert appended == [f"<p>Paragraph {number}.</p>" for number in range(len(appended))]
    assert len(appended) >= 20  # the rest may come with the end
    site.kill("web two")


def finished_blocks(data: str) -> str:
    """The blocks that an event appends for good."""
    found = re.search(r'hx-swap="beforeend">(.*?)</hx-partial>', data, re.DOTALL)
    return found.group(1) if found else ""
