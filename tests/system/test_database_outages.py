"""PostgreSQL goes away and comes back while answers are being written. Nobody restarts a process by hand."""

import time
from collections.abc import Iterator
from typing import Literal

import pytest

from chatapp.embedded.postgres import Cluster
from tests.fakes.process import FakeOpenAI
from tests.system.calls import answer_calls
from tests.system.conftest import running_site
from tests.system.program import START, Asker, Program, Reader, slow
from tests.system.site import Site, marker, wait_for

pytestmark = pytest.mark.timeout(280)
KEPT = "SELECT count(*) FROM conversations_message WHERE text = %s"


@pytest.fixture(scope="module")
def own_site(own_cluster: Cluster, openai: FakeOpenAI) -> Iterator[Site]:
    """One site for all outages: no process of it is ever restarted."""
    with running_site(own_cluster.url, openai) as site:
        yield site


def start_answers(site: Site, name: str, count: int, seconds: float) -> dict[str, str]:
    """Begin answers that last so many seconds; return their texts by their ids."""
    browser, expected = site.sign_in(), {}
    for number in range(count):
        text = " ".join(f"word{number}-{index}" for index in range(200))
        _, answer = browser.begin(f"{name}-{number} " + marker(text=text, delay_ms=seconds * 1000 / 200))
        expected[answer] = text
    for answer in expected:
        site.wait_for_text(answer, 20)
    return expected


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_d1_a_restart_of_postgresql_costs_no_answer_a_word(
    own_site: Site, openai: FakeOpenAI, own_cluster: Cluster, mode: Literal["fast", "immediate"]
) -> None:
    expected = start_answers(own_site, f"d1-{mode}", 8, seconds=12)

    own_cluster.stop(mode)
    own_cluster.start()

    for answer, text in expected.items():
        row = own_site.wait_until_ended(answer, seconds=60)
        assert (row["status"], row["text"]) == ("completed", text)
    assert len(answer_calls(openai, f"d1-{mode}")) == 8
    assert own_site.is_running("web")
    assert own_site.is_running("worker")
    assert own_site.sql("SELECT count(*) FROM conversations_messagechunk") == [(0,)]


def test_d1_a_database_that_goes_away_is_waited_for_by_all_who_wait(own_site: Site, own_cluster: Cluster) -> None:
    program = Program.of(own_site)
    prompt, text = slow("away", 4)
    streamed = Reader(program.stream("POST", START, prompt))
    later, later_text = slow("gone", 4)
    waited = Asker(program, "POST", START, later)
    wait_for(lambda: len(streamed.text) > 100, what="text")
    wait_for(lambda: own_site.sql(KEPT, later["text"])[0][0], what="the prompt of who waits")

    own_cluster.stop("fast")
    status, problem, headers = program.ask("POST", START, {"text": "Hello"})
    assert (status, problem["code"]) == (503, "unavailable")
    assert "retry-after" in headers
    own_cluster.start()

    streamed.join(60)
    waited.join(60)
    assert (streamed.text, streamed.completed["text"]) == (text, text)
    assert waited.answer is not None
    status, message, _ = waited.answer
    assert (status, message["status"], message["text"]) == (201, "completed", later_text)


def test_d1_an_outage_of_60_s_costs_no_answer_a_word_and_no_process(
    own_site: Site, openai: FakeOpenAI, own_cluster: Cluster
) -> None:
    expected = start_answers(own_site, "outage", 4, seconds=20)
    browser = own_site.sign_in()

    own_cluster.stop("fast")
    went_away_at = time.monotonic()
    assert browser.request("GET", "/healthz")[0] == 200
    assert browser.request("GET", "/readyz")[0] == 503
    status, page, headers = browser.request("GET", "/conversations/")
    assert (status, headers["retry-after"]) == (503, "10")
    assert "The database cannot be reached" in page
    time.sleep(60 - (time.monotonic() - went_away_at))
    own_cluster.start()

    for answer, text in expected.items():
        row = own_site.wait_until_ended(answer, seconds=60)
        assert (row["status"], row["text"]) == ("completed", text)
    assert len(answer_calls(openai, "outage")) == 4
    assert own_site.is_running("web")
    assert own_site.is_running("worker")
    wait_for(lambda: browser.request("GET", "/readyz")[0] == 200, what="readiness")
    _, after = browser.begin("after-outage " + marker(text="Back."))
    assert own_site.wait_until_ended(after, seconds=30)["text"] == "Back."
