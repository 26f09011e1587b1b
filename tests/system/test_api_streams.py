"""Sending over the API while processes die: nothing is lost and nothing doubled."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest

from chatapp.embedded.ports import find_free_port
from tests.fakes.process import FakeOpenAI
from tests.system.calls import answer_calls
from tests.system.program import START, Asker, Program, Reader, slow
from tests.system.site import Site, marker, wait_for

pytestmark = pytest.mark.timeout(200)
STREAMING = """
SELECT message.id FROM conversations_message AS message JOIN accounts_user AS person ON person.id = owner_id
WHERE username = 'streamer' AND status = 'streaming'
"""


@pytest.fixture
def program(site: Site) -> Program:
    return Program.of(site, "streamer")


def test_c3_a_web_process_that_is_killed_costs_no_character_and_doubles_nothing(
    site: Site, program: Program, openai: FakeOpenAI
) -> None:
    other = find_free_port()
    site.start_web("other", other)
    prompt, text = slow("killed", 5)
    waited = Asker(program, "POST", START, prompt, port=other, Idempotency_Key="killed")
    answer_id = wait_for(lambda: site.sql(STREAMING), what="the answer")[0][0]
    reader = Reader(program.stream("GET", f"/api/v1/messages/{answer_id}/stream/", port=other))
    wait_for(lambda: len(reader.text) > 100, what="text")

    site.kill("other")

    reader.join(20)
    waited.join(20)
    assert not reader.completed
    assert waited.answer is None
    assert text.startswith(reader.text)
    again = Reader(
        program.stream("GET", f"/api/v1/messages/{answer_id}/stream/", Last_Event_ID=reader.last_id), reader.text
    )
    status, problem, headers = program.ask("POST", START, prompt, Idempotency_Key="killed")
    assert (status, problem["code"]) == (409, "idempotency_in_progress"), "whoever had it may still live"
    assert int(headers["retry-after"]) > 0
    site.sql("UPDATE rest_idempotentrequest SET seen_at = now() - interval '2 minutes'")
    status, message, _ = program.ask("POST", START, prompt, Idempotency_Key="killed")
    assert (status, message["id"], message["text"]) == (201, str(answer_id), text)
    again.join(20)
    assert (again.text, again.completed) == (text, message)
    assert len(answer_calls(openai, "killed")) == 1


def test_p5_a_deploy_ends_streams_and_waits_soon_and_they_go_on_elsewhere(site: Site, program: Program) -> None:
    other = find_free_port()
    site.start_web("deployed", other)
    prompt, text = slow("deploy", 6)
    reader = Reader(program.stream("POST", START, prompt, port=other, Idempotency_Key="deploy"))
    waited = Asker(program, "POST", START, slow("deploy2", 6)[0], port=other)
    wait_for(lambda: len(reader.text) > 100, what="text")

    assert site.terminate("deployed") < 15

    reader.join(20)
    waited.join(20)
    assert not reader.completed
    assert waited.answer is not None
    status, message, headers = waited.answer
    assert (status, message["status"]) == (202, "streaming")
    assert headers["location"].endswith(f"/api/v1/messages/{message['id']}/")
    resent = Reader(program.stream("POST", START, prompt, Idempotency_Key="deploy"))
    resent.join(30)
    assert (resent.text, resent.completed["text"]) == (text, text)


def test_both_spellings_of_an_address_stream(site: Site, program: Program) -> None:
    texts = []
    for address in (START, START.rstrip("/")):
        reader = Reader(program.stream("POST", address, {"text": "Hello " + marker(text="Hello there.")}))
        reader.join(20)
        texts.append(reader.text)
    assert texts == ["Hello there."] * 2


def test_i4_a_client_that_hangs_up_and_asks_again_gets_the_answer_that_was_begun(
    site: Site, program: Program, openai: FakeOpenAI
) -> None:
    prompt, text = slow("hangup", 3)
    with contextlib.suppress(TimeoutError):
        program.ask("POST", START, prompt, timeout=1, Idempotency_Key="hangup")
    answer = wait_for(lambda: _unless_in_progress(program, prompt, "hangup"), what="the answer")
    assert answer is not None
    status, message, _ = answer
    assert (status, message["text"]) == (201, text)
    assert len(answer_calls(openai, "hangup")) == 1


def _unless_in_progress(program: Program, prompt: Any, key: str) -> tuple[int, Any, dict[str, str]] | None:
    answer = program.ask("POST", START, prompt, Idempotency_Key=key)
    return None if answer[1].get("code") == "idempotency_in_progress" else answer
