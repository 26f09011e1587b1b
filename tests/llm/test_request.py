"""What is sent: the history from our record, nothing kept at the provider, nobody named."""

import subprocess
import sys

from django.test import override_settings
from pytest_django import Settings

from conversations.llm import Turn, stream
from tests.fakes.openai_server import FakeOpenAI
from tests.llm.conftest import KEY, collect, make_request, run


def test_request_carries_history_instructions_and_parameters(fake: FakeOpenAI) -> None:
    turns = (Turn("user", "One?"), Turn("assistant", "One."), Turn("user", "Two? 😀"))
    request = make_request(
        turns=turns,
        instructions="Be brief.",
        parameters={"temperature": 0.2, "future_option": 1},
        safety_identifier="p7",
    )
    run(lambda: collect(stream(request)))
    (sent,) = fake.requests()
    assert sent["body"] == {
        "model": "gpt-4o",
        "instructions": "Be brief.",
        "input": [{"type": "message", "role": turn.role, "content": turn.text} for turn in turns],
        "temperature": 0.2,
        "future_option": 1,
        "safety_identifier": "p7",
        "stream": True,
        "store": False,
    }
    assert sent["headers"]["Authorization"] == KEY[-4:]
    assert sent["headers"]["Accept-Encoding"] == "identity"


def test_v8_record_keeps_exactly_what_was_sent(fake: FakeOpenAI, settings: Settings) -> None:
    for settings.OPENAI_BACKGROUND in (False, True):
        request = make_request(parameters={"max_output_tokens": 64}, safety_identifier="p7")
        run(lambda request=request: collect(stream(request)))  # type: ignore[misc]
        body = fake.requests()[-1]["body"]
        assert request.as_sent() == {key: value for key, value in body.items() if key not in ("input", "instructions")}


def test_background_answer_is_stored_until_it_is_deleted(fake: FakeOpenAI, settings: Settings) -> None:
    settings.OPENAI_BACKGROUND = True
    sent = make_request().as_sent()
    assert (sent["background"], sent["store"], sent["stream"]) == (True, True, True)


def test_parameters_cannot_move_history_or_storage_to_the_provider(settings: Settings) -> None:
    settings.OPENAI_BACKGROUND = False
    sent = make_request(
        parameters={
            "previous_response_id": "resp_1",
            "conversation": "c",
            "store": True,
            "background": True,
            "input": "x",
        }
    ).body()
    assert sent == {
        "model": "gpt-4o",
        "stream": True,
        "store": False,
        "input": [{"type": "message", "role": "user", "content": "Hello"}],
    }


def test_padding_is_refused_at_openai_alone() -> None:
    for url, refused in {
        "": True,
        "https://api.openai.com/v1": True,
        "https://eu.api.openai.com/v1": True,
        "http://127.0.0.1:8080/v1": False,
        "https://api.openai.com.example.net/v1": False,
    }.items():
        with override_settings(OPENAI_BASE_URL=url):
            sent = make_request().as_sent()
        assert ("stream_options" in sent) is refused


def test_importing_the_seam_does_not_load_the_openai_package() -> None:
    check = "import sys, conversations.llm; print(sorted({'openai', 'aiohttp', 'httpx2'} & set(sys.modules)))"
    assert subprocess.check_output([sys.executable, "-c", check], text=True).strip() == "[]"
