"""Servers of the same API that send what no specification knows: the answer survives, what is told can be stored."""

import json
from typing import Any

import pytest

from conversations.llm import Finished, Started
from conversations.llm.reading import Reading
from tests.llm.conftest import Ask

DELTA = {"type": "response.output_text.delta", "delta": "Hi"}


def read(*events: object) -> tuple[Reading, list[object]]:
    reading = Reading()
    return reading, list(reading.read([json.dumps(event).encode() for event in events]))


def completed(**response: Any) -> dict[str, Any]:
    return {"type": "response.completed", "response": {"id": "resp_1", "model": "gpt-4o", **response}}


def test_u21_names_and_ids_can_be_stored_whatever_they_hold(ask: Ask) -> None:
    answer = ask(text="Hi", model="/models/\u0000\ud800" + "x" * 300, headers={"X-Request-Id": "r" * 300})
    for told in (answer.started.model, answer.finished.model):
        assert told.startswith("/models/\ufffd\ufffdx")
        assert len(told) == 100
    assert answer.started.request_id == "r" * 200
    assert ask(status=500, error={}, headers={"X-Request-Id": "r" * 300}).failed.request_id == "r" * 200


def test_u21_ids_and_reasons_of_events_can_be_stored_whatever_they_hold() -> None:
    _, (started, finished) = read(
        {"type": "response.created", "response": {"id": "\u0000" + "i" * 300, "model": {"name": "x"}}},
        {"type": "response.incomplete", "response": {"incomplete_details": {"reason": "\ud800" + "r" * 300}}},
    )
    assert started == Started("\ufffd" + "i" * 199, "", "")
    assert isinstance(finished, Finished)
    assert finished.reason == "\ufffd" + "r" * 59


@pytest.mark.parametrize(
    "usage",
    [
        {"input_tokens": -1, "output_tokens": 3},
        {"input_tokens": 2**31, "output_tokens": 3},
        {"input_tokens": "many", "output_tokens": 3},
        {"input_tokens": 9, "output_tokens": [3]},
        {"input_tokens": 9, "output_tokens": 3, "input_tokens_details": {"cached_tokens": 10}},
        "free of charge",
    ],
)
def test_usage_that_cannot_be_true_is_unknown(usage: object) -> None:
    reading, events = read(DELTA, completed(usage=usage))
    assert isinstance(events[-1], Finished)
    assert events[-1].usage is None
    assert reading.is_finished


@pytest.mark.parametrize(
    "event",
    [
        {"type": 5},
        {"type": ["response.created"]},
        {"type": "response.output_item.added", "output_index": [1], "item": {"type": "reasoning"}},
        {"type": "response.output_item.done", "output_index": {}},
        ["response.created"],
        None,
    ],
)
def test_u16_events_of_unknown_shapes_are_passed_over(event: object) -> None:
    reading, events = read(DELTA, event, completed())
    assert reading.failure is None
    assert isinstance(events[-1], Finished)


@pytest.mark.parametrize(
    "output", [7, {"content": 1}, [{"content": 7}], [{"content": {"type": "output_text"}}], [None]]
)
def test_u16_output_of_an_unknown_shape_is_no_text(output: object) -> None:
    _, events = read(DELTA, completed(output=output))
    assert isinstance(events[-1], Finished)
    assert events[-1].text is None


def test_u16_an_event_nested_too_deep_to_read_is_a_fault_of_the_protocol() -> None:
    reading = Reading()
    reading.read([b"[" * 200_000])
    assert reading.failure is not None
    assert reading.failure.code == "protocol"


@pytest.mark.parametrize("wait", ["nan", "inf", "-inf", "Mon, 99 Jan 99999 00:00:00 GMT"])
def test_u1_a_wait_that_is_no_time_is_none(ask: Ask, wait: str) -> None:
    error = ask(fault="rate_limit", headers={"Retry-After": wait}).failed
    assert error.retry_after is None
    assert error.message
