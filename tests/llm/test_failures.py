"""Every way a model call can fail becomes one ModelError, with what was written before it kept."""

import contextlib
import socket
import threading
from collections.abc import Iterator

import pytest
from pytest_django import Settings

from conversations.llm import stream
from tests.fakes.openai_server import FakeOpenAI
from tests.llm.conftest import KEY, Answer, Ask, collect, make_request, run


def test_u1_rate_limit_is_retryable_after_the_time_told(ask: Ask) -> None:
    error = ask(fault="rate_limit").failed
    assert (error.code, error.retryable, error.retry_after) == ("rate_limited", True, 2.0)
    assert error.request_id == "req_1"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after-ms": "250", "Retry-After": "9"}, 0.25),
        ({"Retry-After": "1.5"}, 1.5),
        ({"Retry-After": "Thu, 01 Jan 2015 00:00:00 GMT"}, 0.0),
        ({"Retry-After": "soon"}, None),
        ({}, None),
    ],
)
def test_u1_retry_after_is_read_in_every_form(ask: Ask, headers: dict[str, str], seconds: float | None) -> None:
    error = ask(fault="rate_limit", headers=headers).failed
    assert error.retryable
    assert error.retry_after == seconds


@pytest.mark.parametrize(
    "code",
    [
        "insufficient_quota",
        "credit_balance_exhausted",
        "project_spend_limit_exceeded",
        "organization_spend_limit_exceeded",
        "organization_usage_limit_exceeded",
    ],
)
def test_u2_spent_budget_is_not_retried(ask: Ask, code: str) -> None:
    error = ask(status=429, error={"code": code, "message": "no more"}, headers={"Retry-After": "2"}).failed
    assert (error.code, error.retryable, error.retry_after) == ("quota", False, None)


@pytest.mark.parametrize(
    ("fault", "code"),
    [("500", "provider_down"), ("502", "provider_down"), ("503", "overloaded"), ("html", "provider_down")],
)
def test_u5_faults_of_the_provider_are_retryable(ask: Ask, fault: str, code: str) -> None:
    error = ask(fault=fault).failed
    assert (error.code, error.retryable, error.request_id) == (code, True, "req_1")


def test_u5_the_seam_itself_never_retries(fake: FakeOpenAI, ask: Ask) -> None:
    assert ask(fault="500", times=3).failed.retryable
    assert len(fake.requests()) == 1


@pytest.mark.parametrize("fault", ["html", "empty", "html_200", "502"])
def test_u6_a_body_that_is_not_json_is_shown_to_nobody(ask: Ask, fault: str) -> None:
    error = ask(fault=fault).failed
    assert error.code == ("protocol" if fault == "html_200" else "provider_down")
    assert "<" not in error.message + error.detail
    assert "secret-page" not in error.detail


@pytest.mark.parametrize(
    ("scenario", "code"),
    [
        ({"fault": "wrong_key"}, "wrong_key"),
        ({"fault": "forbidden"}, "forbidden"),
        ({"fault": "model_gone"}, "model_gone"),
        ({"status": 404, "error": {"code": 404, "message": "The model `x` does not exist."}}, "model_gone"),
        ({"status": 404, "error": {"message": "Not Found"}}, "provider_error"),
        ({"status": 401, "error": {"code": "invalid_api_key", "message": f"Incorrect key {KEY}"}}, "wrong_key"),
        ({"status": 422, "error": {"message": "unprocessable"}}, "invalid_request"),
        ({"status": 400, "error": {"code": "invalid_prompt", "message": "flagged"}}, "content_policy"),
        ({"status": 400, "error": {"code": "content_policy_violation", "message": "flagged"}}, "content_policy"),
    ],
)
def test_u7_configuration_and_request_errors_are_final_and_tell_no_key(
    ask: Ask, scenario: dict[str, object], code: str
) -> None:
    error = ask(**scenario).failed
    assert (error.code, error.retryable) == (code, False)
    for words in (error.message, error.detail, str(error)):
        assert "sk-" not in words
        assert "canary" not in words
    assert error.message.endswith(".")


def test_u7_no_key_and_no_address_is_told_before_any_network(fake: FakeOpenAI, settings: Settings) -> None:
    settings.OPENAI_API_KEY = settings.OPENAI_BASE_URL = ""
    error = run(lambda: collect(stream(make_request()))).failed
    assert (error.code, error.retryable) == ("no_key", False)
    assert fake.requests() == []


def test_an_address_without_a_key_is_enough(fake: FakeOpenAI, settings: Settings, ask: Ask) -> None:
    settings.OPENAI_API_KEY = ""
    assert ask(text="hello").finished.text == "hello"


@pytest.mark.parametrize(
    "scenario",
    [
        {"fault": "too_long"},
        {"status": 400, "error": {"message": "This model's maximum context length is 128000 tokens."}},
        {"status": 400, "error": {"code": 400, "type": "exceed_context_size_error", "message": "too big"}},
        {"status": 413, "body": "<html>"},
        {"status": 429, "error": {"code": "rate_limit_exceeded", "message": "Request too large for gpt-4o on TPM"}},
    ],
)
def test_u8_too_long_is_told_as_such(ask: Ask, scenario: dict[str, object]) -> None:
    error = ask(**scenario).failed
    assert (error.code, error.retryable) == ("too_long", False)


@pytest.mark.parametrize(("fault", "kept"), [("reset", 12), ("eof", 16)])
def test_u9_u10_text_before_a_broken_connection_is_kept(ask: Ask, fault: str, kept: int) -> None:
    # A reset drops what has arrived since the last read, which is 0.05 s ago at most.
    answer, whole = ask(fault=fault, delay_ms=20), ask(tokens=80).text
    assert whole.startswith(answer.text)
    assert len(answer.text.split()) >= kept
    assert (answer.failed.code, answer.failed.retryable) == ("connection", False)
    assert answer.failed.response_id == answer.started.response_id
    assert answer.failed.request_id == "req_1"


@pytest.mark.parametrize("cut", ["reset", "eof"])
def test_u9_u10_a_connection_broken_before_any_text_is_retryable(ask: Ask, cut: str) -> None:
    error = ask(cut=cut, after=0).failed
    assert (error.code, error.retryable) == ("connection", True)


def test_u10_a_half_surrogate_held_back_is_not_lost_at_a_cut(ask: Ask) -> None:
    assert ask(texts=["ab\ud83d", "\ude00"], cut="eof", after=1).text == "ab\ud83d"


@pytest.mark.parametrize("shape", ["flat_error", "nested_error"])
@pytest.mark.parametrize(
    ("code", "ours"),
    [
        ("server_error", "provider_down"),
        ("rate_limit_exceeded", "rate_limited"),
        ("insufficient_quota", "quota"),
        ("context_length_exceeded", "too_long"),
        ("something_new", "provider_error"),
    ],
)
def test_u12_both_shapes_of_an_error_event_fail_with_the_text_kept(ask: Ask, shape: str, code: str, ours: str) -> None:
    answer = ask(tokens=9, after=3, **{shape: {"code": code, "message": "It broke."}})
    assert answer.text == "Thank you for"
    assert (answer.failed.code, answer.failed.retryable) == (ours, False)
    assert "It broke." in answer.failed.detail
    assert "It broke." not in answer.failed.message


@pytest.mark.parametrize(("deltas", "retryable"), [(0, True), (500, False)])
def test_u13_a_failed_response_is_retryable_only_before_its_text(ask: Ask, deltas: int, retryable: bool) -> None:
    answer = ask(tokens=500, after=deltas, fail={"code": "server_error", "message": "The model failed."})
    assert (answer.failed.code, answer.failed.retryable) == ("provider_down", retryable)
    assert answer.failed.response_id == answer.started.response_id
    assert bool(answer.text) == bool(deltas)


@contextlib.contextmanager
def serving(body: bytes) -> Iterator[str]:
    """Serve one request with these bytes as its event stream."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: %d\r\n\r\n" % len(body)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(head + body)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/v1"
        thread.join(5)


def ask_address(settings: Settings, url: str) -> Answer:
    settings.OPENAI_BASE_URL = url
    return run(lambda: collect(stream(make_request())))


def test_an_event_that_is_not_json_is_a_protocol_error(settings: Settings) -> None:
    with serving(b'data: {"type":"response.created","response":{"id":"resp_1"}}\n\ndata: {"type": oops\n\n') as url:
        answer = ask_address(settings, url)
    assert answer.started.response_id == "resp_1"
    assert answer.failed.code == "protocol"


def test_an_error_event_without_a_type_is_read(settings: Settings) -> None:
    with serving(b'event: error\ndata: {"error":{"code":500,"message":"slot gone","type":"server_error"}}\n\n') as url:
        error = ask_address(settings, url).failed
    assert (error.code, error.retryable) == ("provider_down", True)


def test_nobody_listening_is_a_retryable_connection_error(settings: Settings) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        error = ask_address(settings, f"http://127.0.0.1:{unused.getsockname()[1]}/v1").failed
    assert (error.code, error.retryable) == ("connection", True)
