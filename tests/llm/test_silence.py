"""Silence ends an answer in time, but never kills a tool at work; and closing the stream closes it at the provider."""

import asyncio
import contextlib
import time

import pytest
from pytest_django import Settings

from conversations.llm import Text, Timeouts, stream
from tests.fakes.openai_server import FakeOpenAI
from tests.llm.conftest import SHORT, Answer, Ask, collect, make_request, run


def provider_stream_closed(fake: FakeOpenAI) -> bool:
    """Whether the provider saw its only stream closed early, within a few seconds."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        (request,) = fake.requests("/v1/responses")
        if request["closed_early"]:
            return True
        time.sleep(0.02)
    return False


@pytest.mark.parametrize("scenario", [{"first_event_ms": 60_000}, {"headers_ms": 60_000}])
def test_u19_no_first_event_times_out(fake: FakeOpenAI, ask: Ask, scenario: dict[str, int]) -> None:
    error = ask(Timeouts(first_event=0.8), **scenario).failed
    assert (error.code, error.retryable) == ("timeout", False)
    assert provider_stream_closed(fake)


def test_u19_a_gap_in_the_middle_times_out_with_the_text_kept(fake: FakeOpenAI, ask: Ask) -> None:
    answer = ask(Timeouts(between_events=0.8), tokens=9, gap={"after": 3, "ms": 60_000})
    assert answer.text == "Thank you for"
    assert answer.failed.code == "timeout"
    assert answer.failed.response_id == answer.started.response_id
    assert provider_stream_closed(fake)


def test_u19_comments_that_keep_the_connection_open_are_no_events(ask: Ask) -> None:
    answer = ask(Timeouts(between_events=0.8, total=5), tokens=9, gap={"after": 3, "ms": 60_000}, heartbeat_ms=50)
    assert answer.text == "Thank you for"
    assert answer.failed.detail == "no event for 0.8 s"


def test_u19_a_tool_may_be_silent_for_longer(ask: Ask) -> None:
    answer = ask(Timeouts(between_events=0.8), text="Done.", code_interpreter={"gap_ms": 1_500})
    assert answer.finished.text == "Done."


def test_u19_a_tool_times_out_by_its_own_limit(ask: Ask) -> None:
    answer = ask(Timeouts(tool=0.8), code_interpreter={"gap_ms": 60_000})
    assert answer.failed.code == "timeout"
    assert answer.activities == ["Running code…"]


def test_u19_a_queued_background_answer_may_be_silent_for_longer(settings: Settings, ask: Ask) -> None:
    settings.OPENAI_BACKGROUND = True
    assert ask(Timeouts(between_events=0.8), tokens=3, queued_ms=1_500).finished.outcome == "completed"


def test_u19_the_whole_answer_has_a_limit_though_it_never_falls_silent(ask: Ask) -> None:
    answer = ask(Timeouts(total=1), tokens=2_000, delay_ms=20)
    assert answer.failed.code == "timeout"
    assert answer.text.startswith("Thank you for")
    assert "longer than" in answer.failed.message


def test_u19_a_slow_reader_is_not_a_silent_model(fake: FakeOpenAI) -> None:
    fake.script([{"tokens": 2, "delay_ms": 20}])

    async def read_slowly() -> str:
        text = ""
        async for event in stream(make_request(), timeouts=Timeouts(first_event=5, between_events=0.8)):
            await asyncio.sleep(1)
            text += event.text if isinstance(event, Text) else ""
        return text

    assert run(read_slowly) == "Thank you"


def test_closing_the_generator_closes_the_stream_of_the_provider(fake: FakeOpenAI) -> None:
    fake.script([{"tokens": 2_000, "delay_ms": 20}])

    async def read_a_little() -> None:
        async with contextlib.aclosing(stream(make_request(), timeouts=SHORT)) as events:
            async for event in events:
                if isinstance(event, Text):
                    return

    run(read_a_little)
    assert provider_stream_closed(fake)


@pytest.mark.parametrize("scenario", [{"tokens": 2_000, "delay_ms": 20}, {"headers_ms": 60_000}])
def test_cancelling_the_task_closes_the_stream_and_stays_a_cancellation(
    fake: FakeOpenAI, scenario: dict[str, int]
) -> None:
    fake.script([scenario])

    async def cancel_in_the_middle() -> Answer:
        task = asyncio.create_task(collect(stream(make_request(), timeouts=SHORT)))
        await asyncio.sleep(0.4)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert task.cancelled()
        return Answer()

    run(cancel_in_the_middle)
    assert provider_stream_closed(fake)


def test_a_time_out_does_not_cancel_the_task_it_happened_in(fake: FakeOpenAI) -> None:
    fake.script([{"first_event_ms": 60_000}, {"text": "fine"}])

    async def ask_twice() -> list[Answer]:
        first = await collect(stream(make_request(), timeouts=Timeouts(first_event=0.8)))
        task = asyncio.current_task()
        assert task is not None
        assert task.cancelling() == 0
        return [first, await collect(stream(make_request(), timeouts=SHORT))]

    first, second = run(ask_twice)
    assert first.failed.code == "timeout"
    assert second.finished.text == "fine"


def test_without_tls_every_answer_has_a_connection_of_its_own(fake: FakeOpenAI) -> None:
    async def ask_in_turn() -> list[Answer]:
        return [await collect(stream(make_request(), timeouts=SHORT)) for _ in range(3)]

    assert [answer.finished.outcome for answer in run(ask_in_turn)] == ["completed"] * 3
    assert len({request["peer"] for request in fake.requests()}) == 3
