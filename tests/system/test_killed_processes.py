"""Processes that die, hang and are replaced: what people see, what the tables hold."""

import os
import signal
import threading
import time
from collections.abc import Iterator

import pytest

from chatapp.embedded.ports import find_free_port
from tests.fakes.process import FakeOpenAI
from tests.system.calls import answer_calls
from tests.system.client import Client
from tests.system.conftest import running_site
from tests.system.site import Site, marker, wait_for

pytestmark = pytest.mark.timeout(240)
SLOW = {"tokens": 3000, "delay_ms": 100}
SILENT_ONCE = {"first_event_ms": 3_600_000}


@pytest.fixture(scope="module")
def mortal(openai: FakeOpenAI) -> Iterator[Site]:
    with running_site(os.environ["DATABASE_URL"], openai) as site:
        yield site


@pytest.fixture
def own_site(mortal: Site) -> Site:
    """The module's site, where what the test before has ended runs again."""
    if not mortal.is_running("web"):
        mortal.start_web()
    if not mortal.is_running("worker"):
        mortal.start_worker()
    return mortal


def assert_text_is_kept(site: Site, answer: str, shown: str) -> None:
    row = site.message(answer)
    assert row["text"].startswith(shown)
    assert site.sql("SELECT count(*) FROM conversations_messagechunk WHERE message_id = %s", answer) == [(0,)]


def test_p1_a_killed_worker_loses_nothing_and_its_answers_are_settled_within_90_s(
    own_site: Site, openai: FakeOpenAI
) -> None:
    browser = own_site.sign_in()
    conversation, begun = browser.begin("p1-begun " + marker(**SLOW))
    shown = own_site.wait_for_text(begun, 40)
    openai.script([SILENT_ONCE | {"match": "p1-silent"}, {"match": "p1-silent", "text": "At the second try."}])
    _, silent = browser.begin("p1-silent")
    openai.script([SILENT_ONCE | {"match": "p1-doomed"}] * 2)
    _, doomed = browser.begin("p1-doomed")
    wait_for(lambda: len(answer_calls(openai, "p1-doomed")) == 1, what="the call")

    killed_at = time.monotonic()
    own_site.kill("worker")
    _, waiting = browser.begin("p1-waiting " + marker(text="Answered by the next worker."))
    time.sleep(1)
    assert own_site.message(waiting)["status"] == "queued"
    own_site.start_worker()

    assert own_site.wait_until_ended(waiting)["text"] == "Answered by the next worker."
    assert own_site.wait_until_ended(begun, seconds=90)["status"] == "interrupted"
    assert_text_is_kept(own_site, begun, shown)
    settled = own_site.wait_until_ended(silent, seconds=90)
    assert (settled["status"], settled["text"]) == ("completed", "At the second try.")
    assert time.monotonic() - killed_at < 90
    assert len(answer_calls(openai, "p1-silent")) == 2
    assert len(answer_calls(openai, "p1-begun")) == 1
    calls = own_site.sql(
        "SELECT status, error_code, usage_source FROM conversations_generation WHERE message_id = %s ORDER BY id",
        silent,
    )
    assert calls == [("interrupted", "worker_lost", "estimated"), ("completed", "", "exact")]
    page = browser.request("GET", f"/conversations/{conversation}/")[1]
    assert "What it had written is kept" in page
    assert "Retry" in page

    wait_for(lambda: len(answer_calls(openai, "p1-doomed")) == 2, seconds=60, what="the second try")
    own_site.kill("worker")
    own_site.start_worker()
    assert own_site.wait_until_ended(doomed, seconds=90)["status"] == "failed"
    assert len(answer_calls(openai, "p1-doomed")) == 2


def test_p2_a_killed_web_process_touches_no_answer_and_another_goes_on_showing_it(
    own_site: Site, openai: FakeOpenAI
) -> None:
    text = "\n\n".join(f"Paragraph {number}." for number in range(60))
    port = find_free_port()
    own_site.start_web("web two", port)
    browser = own_site.sign_in()
    other = Client(own_site, browser.session_key, port)
    _, answer = browser.begin("p2-web " + marker(text=text, delay_ms=40))

    last_id = ""
    for event in browser.stream(answer):
        last_id = event["id"]
        if int(last_id) > 100:
            own_site.kill("web")
            break
    events = list(other.stream(answer, last_event_id=last_id))

    assert events[-1]["event"] == "done"
    assert "Paragraph 59." in events[-2]["data"]
    row = own_site.message(answer)
    assert (row["status"], row["text"]) == ("completed", text)
    assert len(answer_calls(openai, "p2-web")) == 1
    own_site.kill("web two")


@pytest.mark.slow
def test_p3_a_web_process_with_an_open_stream_ends_within_seconds(own_site: Site) -> None:
    browser = own_site.sign_in()
    _, answer = browser.begin("p3-web " + marker(tokens=200, delay_ms=100))
    watcher = threading.Thread(target=lambda: list(browser.stream(answer)))
    watcher.start()
    own_site.wait_for_text(answer, 10)
    assert own_site.terminate("web") < 10
    watcher.join(10)
    assert not watcher.is_alive()


@pytest.mark.slow
def test_p3_a_worker_that_is_told_to_end_settles_its_answers(own_site: Site, openai: FakeOpenAI) -> None:
    browser = own_site.sign_in()
    _, short = browser.begin("p3-short " + marker(tokens=60, delay_ms=100))
    _, long = browser.begin("p3-long " + marker(**SLOW))
    shown = own_site.wait_for_text(long, 40)
    own_site.wait_for_text(short, 10)

    assert own_site.terminate("worker") < 25

    assert own_site.message(short)["status"] == "completed"
    row = own_site.message(long)
    assert row["status"] == "interrupted"
    assert row["text"].startswith(shown)
    wait_for(lambda: answer_calls(openai, "p3-long")[0]["closed_early"], what="the closing of the stream")


def test_p5_a_writer_that_was_stopped_and_wakes_up_changes_nothing(own_site: Site, openai: FakeOpenAI) -> None:
    browser = own_site.sign_in()
    _, begun = browser.begin("p5-begun " + marker(**SLOW))
    shown = own_site.wait_for_text(begun, 40)
    openai.script(
        [
            {"match": "p5-silent", "first_event_ms": 60_000, "text": "Too late."},
            {"match": "p5-silent", "text": "In time."},
        ]
    )
    _, silent = browser.begin("p5-silent")
    wait_for(lambda: answer_calls(openai, "p5-silent"), what="the first call")

    own_site.signal("worker", signal.SIGSTOP)
    own_site.start_worker("worker two")
    assert own_site.wait_until_ended(begun, seconds=90)["status"] == "interrupted"
    settled = own_site.wait_until_ended(silent, seconds=90)
    assert (settled["status"], settled["error_code"], settled["text"]) == ("completed", "", "In time."), own_site.log(
        "worker two"
    )
    assert_text_is_kept(own_site, begun, shown)
    before = own_site.message(begun), own_site.message(silent)
    own_site.signal("worker", signal.SIGCONT)

    wait_for(lambda: answer_calls(openai, "p5-begun")[0]["closed_early"], seconds=20, what="the late writer's leaving")
    time.sleep(1)
    assert (own_site.message(begun), own_site.message(silent)) == before
    assert own_site.sql("SELECT count(*) FROM conversations_messagechunk") == [(0,)]
