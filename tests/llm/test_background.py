"""Background mode: an answer cut off from us is picked up again whole, cancelled and deleted at the provider."""

import pytest
from pytest_django import Settings

from conversations.llm import ModelError, Timeouts, cancel, delete, resume, stream
from tests.fakes.openai_server import FakeOpenAI
from tests.llm.conftest import SHORT, Ask, collect, make_request, run


@pytest.fixture(autouse=True)
def background(fake: FakeOpenAI, settings: Settings) -> None:
    settings.OPENAI_BACKGROUND = True


@pytest.mark.parametrize("fault", ["reset", "eof"])
def test_u9_resumed_answer_is_replayed_from_its_first_event(ask: Ask, fault: str) -> None:
    cut_off = ask(fault=fault)
    assert cut_off.failed.code == "connection"
    resumed = run(lambda: collect(resume(cut_off.failed.response_id, timeouts=SHORT)))
    assert resumed.started.response_id == cut_off.started.response_id
    assert resumed.text.startswith(cut_off.text)
    assert resumed.text == resumed.finished.text
    assert len(resumed.text) > len(cut_off.text)


def test_resuming_an_answer_still_being_written_goes_on_to_its_end(fake: FakeOpenAI, ask: Ask) -> None:
    cut_off = ask(tokens=60, delay_ms=10, cut="eof", after=5)
    resumed = run(lambda: collect(resume(cut_off.failed.response_id, timeouts=SHORT)))
    assert resumed.finished.outcome == "completed"
    assert resumed.text == resumed.finished.text


def test_resuming_what_the_provider_no_longer_has_fails_with_its_id() -> None:
    error = run(lambda: collect(resume("resp_gone"))).failed
    assert (error.code, error.retryable, error.response_id) == ("provider_error", False, "resp_gone")


def test_u27_cancelled_answer_is_cancelled_once_however_often_asked(fake: FakeOpenAI, ask: Ask) -> None:
    response_id = ask(Timeouts(between_events=0.8), fault="gap").failed.response_id
    for _ in range(2):
        run(lambda: cancel(response_id))
    run(lambda: cancel("resp_gone"))
    assert [request["status"] for request in fake.requests()[1:]] == [200, 200, 404]


def test_u27_answer_that_is_over_can_be_cancelled(ask: Ask) -> None:
    response_id = ask(text="done").started.response_id
    run(lambda: cancel(response_id))


def test_deleting_twice_is_no_error(fake: FakeOpenAI, ask: Ask) -> None:
    response_id = ask(text="done").started.response_id
    for _ in range(2):
        run(lambda: delete(response_id))
    assert [request["status"] for request in fake.requests()[1:]] == [200, 404]


def test_u30_failing_delete_is_a_model_error(settings: Settings) -> None:
    settings.OPENAI_BASE_URL = "http://127.0.0.1:9/v1"
    with pytest.raises(ModelError) as raised:
        run(lambda: delete("resp_1"))
    assert (raised.value.code, raised.value.retryable, raised.value.response_id) == ("connection", True, "resp_1")


def test_cancelled_response_ends_its_stream_as_a_fault(fake: FakeOpenAI, ask: Ask) -> None:
    response_id = ask(Timeouts(between_events=0.8), fault="gap").failed.response_id
    run(lambda: cancel(response_id))
    answer = run(lambda: collect(resume(response_id, timeouts=SHORT)))
    assert answer.failed.response_id == response_id


def test_plain_answer_leaves_nothing_at_the_provider(fake: FakeOpenAI, settings: Settings) -> None:
    settings.OPENAI_BACKGROUND = False
    answer = run(lambda: collect(stream(make_request())))
    assert run(lambda: collect(resume(answer.started.response_id))).failed.code == "provider_error"
