"""The fake OpenAI server answers as the real one does: same events, same order, parsed by the SDK's own types."""

import urllib.error
from collections.abc import Iterator

import openai
import pytest
from openai.types.responses import Response

from tests.fakes.openai_server import FakeOpenAI

NORMAL_ORDER = [
    "response.created",
    "response.in_progress",
    "response.output_item.added",
    "response.content_part.added",
    "response.output_text.delta",
    "response.output_text.done",
    "response.content_part.done",
    "response.output_item.done",
    "response.completed",
]


@pytest.fixture(scope="module")
def server() -> Iterator[FakeOpenAI]:
    with FakeOpenAI(tokens=12, delay_ms=0) as started:
        yield started


@pytest.fixture
def fake(server: FakeOpenAI) -> FakeOpenAI:
    server.reset()
    return server


@pytest.fixture
def client(fake: FakeOpenAI) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(api_key="sk-test-abcd", base_url=fake.base_url, max_retries=0) as made:
        yield made


def test_streamed_events_come_in_the_order_of_the_api(client: openai.OpenAI) -> None:
    with client.responses.create(model="gpt-4o", input="Hello", stream=True) as stream:
        events = list(stream)
    assert list(dict.fromkeys(event.type for event in events)) == NORMAL_ORDER
    assert [event.sequence_number for event in events if hasattr(event, "sequence_number")] == list(range(len(events)))
    assert sum(event.type == "response.output_text.delta" for event in events) == 12


def test_every_event_parses_strictly_with_the_sdk_types(fake: FakeOpenAI) -> None:
    strict = openai.OpenAI(api_key="x", base_url=fake.base_url, _strict_response_validation=True)
    for options in ("{}", '{"refusal": "I cannot."}', '{"code_interpreter": {}}', '{"incomplete": "content_filter"}'):
        with strict.responses.create(model="gpt-4o", input=f"[[fake: {options}]]", stream=True) as stream:
            assert len(list(stream)) > 4


def test_answer_without_stream_is_the_same_response(client: openai.OpenAI) -> None:
    response = client.responses.create(model="gpt-4o", input="About bees")
    assert response.status == "completed"
    assert response.output_text.startswith("Thank you for asking about **About bees**")
    assert response.model == "gpt-4o-2024-11-20"
    assert response.usage is not None
    assert response.usage.output_tokens == 12
    assert response.usage.input_tokens_details.cached_tokens == 0


def test_marker_of_the_last_user_message_decides(client: openai.OpenAI) -> None:
    response = client.responses.create(
        model="gpt-4o",
        input=[
            {"role": "user", "content": '[[fake: {"text": "old"}]]'},
            {"role": "assistant", "content": "old"},
            {"role": "user", "content": [{"type": "input_text", "text": 'Now [[fake: {"text": "new"}]]'}]},
        ],
    )
    assert response.output_text == "new"


def test_queued_scripts_are_used_once_each_by_the_request_they_match(fake: FakeOpenAI, client: openai.OpenAI) -> None:
    fake.script([{"text": "for bees", "match": "bees"}, {"text": "first"}])
    texts = [client.responses.create(model="gpt-4o", input=prompt).output_text for prompt in ("ants", "bees", "bees")]
    assert texts[:2] == ["first", "for bees"]
    assert texts[2].startswith("Thank you")


def test_a_script_that_makes_no_sense_is_refused(fake: FakeOpenAI) -> None:
    with pytest.raises(urllib.error.HTTPError, match="400"):
        fake.script([{"tokns": 3}])


def test_failing_n_times_then_answers(client: openai.OpenAI) -> None:
    prompt = '[[fake: {"fault": "500", "times": 2, "text": "at last"}]]'
    for _ in range(2):
        with pytest.raises(openai.InternalServerError):
            client.responses.create(model="gpt-4o", input=prompt)
    assert client.responses.create(model="gpt-4o", input=prompt).output_text == "at last"


def test_background_answer_resumes_after_any_event_with_the_same_bytes(client: openai.OpenAI) -> None:
    created = client.responses.create(
        model="gpt-4o", input='[[fake: {"fault": "eof"}]]', background=True, stream=True, store=True
    )
    with created as stream:
        first = list(stream)
    assert first[-1].type == "response.output_text.delta"
    response_id = first[0].response.id  # type: ignore[union-attr]
    with client.responses.retrieve(response_id, stream=True, starting_after=len(first) - 1) as stream:
        rest = list(stream)
    with client.responses.retrieve(response_id, stream=True) as stream:
        whole = list(stream)
    assert [event.to_dict() for event in first + rest] == [event.to_dict() for event in whole]
    assert whole[-1].type == "response.completed"


def test_background_answer_can_be_cancelled_and_deleted(client: openai.OpenAI) -> None:
    prompt = '[[fake: {"fault": "silence"}]]'
    response = client.responses.create(model="gpt-4o", input=prompt, background=True)
    assert isinstance(response, Response)
    assert response.status == "queued"
    assert client.responses.retrieve(response.id).status == "in_progress"
    assert client.responses.cancel(response.id).status == "cancelled"
    client.responses.delete(response.id)
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(response.id)


def test_unstored_answer_is_not_found_later(client: openai.OpenAI) -> None:
    response = client.responses.create(model="gpt-4o", input="Hello", store=False)
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(response.id)


def test_models_tell_their_shutdown_date(fake: FakeOpenAI, client: openai.OpenAI) -> None:
    fake.set_shutdown_dates({"gpt-4o": "2027-01-14"})
    dates = {model.id: model.shutdown_date for model in client.models.list()}
    assert dates["gpt-4o"] == "2027-01-14"
    assert dates["gpt-4.1"] is None


def test_input_tokens_are_counted(client: openai.OpenAI) -> None:
    assert client.responses.input_tokens.count(model="gpt-4o", input="x" * 400).input_tokens > 90


def test_requests_are_recorded_without_the_key(fake: FakeOpenAI, client: openai.OpenAI) -> None:
    client.responses.create(model="gpt-4o", input="Hello", temperature=0.5)
    (request,) = fake.requests()
    assert request["path"] == "/v1/responses"
    assert request["body"]["temperature"] == 0.5
    assert request["headers"]["Authorization"] == "abcd"
    assert request["status"] == 200


def test_it_tells_how_long_its_first_texts_took(fake: FakeOpenAI, client: openai.OpenAI) -> None:
    fake.script([{"text": "Late", "first_event_ms": 50}, {"status": 500, "times": 1}])
    earlier = len(fake.first_texts())
    list(client.responses.create(model="gpt-4o", input="Hello", stream=True))
    with pytest.raises(openai.InternalServerError):
        client.responses.create(model="gpt-4o", input="Hello", stream=True)
    (seconds,) = fake.first_texts()[earlier:]
    assert seconds >= 0.05


def test_client_that_leaves_is_recorded_and_others_are_served(fake: FakeOpenAI, client: openai.OpenAI) -> None:
    slow = '[[fake: {"tokens": 500, "delay_ms": 20}]]'
    with client.responses.create(model="gpt-4o", input=slow, stream=True) as stream:
        next(stream)
    assert client.responses.create(model="gpt-4o", input="Hello").status == "completed"
    left, _ = fake.requests()
    assert left["closed_early"]
    assert left["deltas_sent"] < 500
