"""Responses, asked with OpenAI's own client: answered by our assistants, gone on with, and read later."""

from __future__ import annotations

from typing import Any

import pytest
from openai import APIError, AsyncOpenAI, BadRequestError, ConflictError, NotFoundError
from openai.types.responses import Response, ResponseStreamEvent

from conversations.models import Attachment, Conversation, Message
from tests.door.asking import ask, bodies, picture, rows, said
from tests.factories import make_assistant, make_model
from tests.fakes.folder import FilesFolder
from tests.fakes.process import FakeOpenAI
from tests.sending.asking import Answer, Program
from tests.sending.reading import run

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_jobs")]
ADDRESS = "/v1/responses"
ONE: Any = {"role": "user", "content": "One"}
FIRST: Any = {"role": "assistant", "content": "First"}
TWO: Any = {"role": "user", "content": "Two"}


@pytest.fixture
def program(transactional_db: None) -> Program:
    program = Program.of()
    make_assistant(slug="general", instructions="Be brief.")
    return program


def create(program: Program, said: Any, **more: Any) -> Response:
    async def work(client: AsyncOpenAI) -> Response:
        options: Any = {"model": "general", "input": said} | more
        created: Response = await client.responses.create(**options)
        return created

    return ask(program, work)


def stream(program: Program, said: Any, **more: Any) -> list[ResponseStreamEvent]:
    async def work(client: AsyncOpenAI) -> list[ResponseStreamEvent]:
        options: Any = {"model": "general", "input": said, "stream": True} | more
        return [event async for event in await client.responses.create(**options)]

    return ask(program, work)


def where(response: Response) -> str:
    assert response.conversation is not None
    return response.conversation.id


def test_a_response_is_given_and_recorded(program: Program, openai: FakeOpenAI) -> None:
    openai.script([{"text": "First", "usage": {"input_tokens": 100, "output_tokens": 20, "total_tokens": 120}}])
    answer = create(
        program,
        [{"role": "developer", "content": "In French."}, ONE],
        instructions="Be kind.",
        temperature=0.5,
        max_output_tokens=5,
        metadata={"topic": "numbers"},
    )
    assert (answer.output_text, answer.status, answer.error) == ("First", "completed", None)
    assert answer.usage is not None
    assert (answer.usage.input_tokens, answer.usage.output_tokens, answer.usage.total_tokens) == (100, 20, 120)
    assert where(answer) == str(Conversation.objects.get().pk)
    assert answer.metadata == {"topic": "numbers"}
    (asked,) = bodies(openai)
    assert asked["instructions"] == "Be brief.\n\nBe kind.\n\nIn French."
    assert (asked["temperature"], asked["max_output_tokens"]) == (0.5, 16)


def test_a_stream_brings_each_event_that_clients_wait_for(program: Program, openai: FakeOpenAI) -> None:
    openai.script([{"texts": ["Fir", "st"], "gap": {"after": 1, "ms": 400}}])
    events = stream(program, "One")
    kinds = list(dict.fromkeys(event.type for event in events))
    assert kinds == [
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
    deltas = [event.delta for event in events if event.type == "response.output_text.delta"]
    assert "".join(deltas) == "First"
    assert [event.sequence_number for event in events] == list(range(len(events)))
    last = events[-1]
    assert last.type == "response.completed"
    assert (last.response.output_text, where(last.response)) == ("First", str(Conversation.objects.get().pk))


def test_a_stream_ends_with_the_final_text_whatever_it_brought_before(program: Program, openai: FakeOpenAI) -> None:
    openai.script([{"texts": ["Wro", "ng"], "final": "Right", "gap": {"after": 1, "ms": 500}}])
    last = stream(program, "One")[-1]
    assert last.type == "response.completed"
    assert last.response.output_text == "Right"


def test_a_previous_response_is_gone_on_from(program: Program, openai: FakeOpenAI) -> None:
    openai.script([{"text": "First"}, {"text": "Second"}, {"text": "Other"}])
    first = create(program, "One")
    second = create(program, "Two", previous_response_id=first.id)
    assert (where(second), second.previous_response_id) == (where(first), first.id)
    create(program, [TWO], previous_response_id=first.id)
    assert [item["content"] for item in bodies(openai)[2]["input"]] == ["One", "First", "Two"]
    assert rows() == (1, 6, 3)


def test_in_a_conversation_the_input_is_what_is_new_or_all_of_it(program: Program, openai: FakeOpenAI) -> None:
    openai.script([{"text": "First"}, {"text": "Second"}, {"text": "Third"}])
    first = create(program, "One")
    create(program, "Two", conversation=where(first))
    create(program, [ONE, FIRST, TWO, *create_items("Second"), ONE], conversation={"id": where(first)})
    assert [text for _, text, _ in said()] == ["One", "First", "Two", "Second", "One", "Third"]
    with pytest.raises(ConflictError) as refused:
        create(program, [ONE, {"role": "assistant", "content": "Another"}, TWO], conversation=where(first))
    assert (refused.value.code, rows()) == ("history", (1, 6, 3))


def create_items(text: str) -> list[Any]:
    """What `response.output` holds, as clients put it into the next input."""
    content = [{"type": "output_text", "text": text, "annotations": [], "logprobs": []}]
    return [{"id": "msg_1", "type": "message", "status": "completed", "role": "assistant", "content": content}]


def test_a_history_without_a_conversation_is_supplied(program: Program, openai: FakeOpenAI) -> None:
    create(program, [ONE, FIRST, TWO])
    assert [supplied for *_, supplied in said()] == [True, True, False, False]


def test_in_the_background_it_is_read_later_and_can_be_stopped(program: Program, openai: FakeOpenAI) -> None:
    openai.script([{"texts": ["One ", "two ", "three"], "gap": {"after": 1, "ms": 20_000}}])

    async def talk(client: AsyncOpenAI) -> tuple[Response, Response, Response]:
        begun = await client.responses.create(model="general", input="One", background=True)
        read = await client.responses.retrieve(begun.id)
        return begun, read, await client.responses.cancel(begun.id)

    begun, read, stopped = ask(program, talk)
    assert begun.background is True
    assert begun.status in ("queued", "in_progress")  # a worker may be quicker than the answer
    assert read.status in ("queued", "in_progress")
    assert stopped.status == "cancelled"
    assert Message.objects.get(role="assistant").status == "stopped"


def test_images_and_files_come_as_data(program: Program, openai: FakeOpenAI, folder: FilesFolder) -> None:
    make_model().__class__.objects.update(accepts_images=True, accepts_files=True)
    parts = [
        {"type": "input_text", "text": "What is this?"},
        {"type": "input_image", "image_url": picture(), "detail": "auto"},
        {"type": "input_file", "filename": "../a <b>.txt", "file_data": "data:text/plain;base64,SGVsbG8="},
    ]
    create(program, [{"role": "user", "content": parts}])
    assert sorted(Attachment.objects.values_list("content_type", flat=True)) == ["image/png", "text/plain"]
    sent = bodies(openai)[0]["input"][0]["content"]
    assert sorted(part["type"] for part in sent) == ["input_file", "input_image", "input_text"]


@pytest.mark.parametrize(
    ("scenario", "status"),
    [({"refusal": "I will not."}, "completed"), ({"incomplete": "max_output_tokens"}, "incomplete")],
    ids=["refused", "cut off"],
)
def test_what_is_not_whole_says_so(program: Program, openai: FakeOpenAI, scenario: dict[str, Any], status: str) -> None:
    openai.script([scenario])
    answer = create(program, "One")
    assert answer.status == status
    assert (answer.incomplete_details is None) == (status == "completed")
    if status == "completed":
        item: Any = answer.output[0]
        assert (item.content[0].type, item.content[0].refusal) == ("refusal", "I will not.")


def test_a_failure_is_an_error_and_stays_readable(program: Program, openai: FakeOpenAI) -> None:
    openai.script([{"status": 401, "error": {"code": "invalid_api_key"}}])
    with pytest.raises(APIError) as failed:
        create(program, "One")
    assert failed.value.code == "wrong_key"
    answer = Message.objects.get(role="assistant")

    async def read(client: AsyncOpenAI) -> Response:
        return await client.responses.retrieve(f"resp_{answer.pk.hex}")

    found = ask(program, read)
    assert (found.status, found.error and found.error.message) == ("failed", answer.error_text)


def test_a2_responses_of_others_are_not_there(program: Program, openai: FakeOpenAI) -> None:
    mine = create(program, "One")
    thief = Program.of()

    async def steal(client: AsyncOpenAI) -> list[int]:
        statuses: list[int] = []
        for deed in (
            client.responses.retrieve(mine.id),
            client.responses.cancel(mine.id),
            client.responses.create(model="gpt-4o", input="Two", previous_response_id=mine.id),
            client.responses.create(model="gpt-4o", input="Two", conversation=where(mine)),
            client.responses.retrieve("resp_1"),
        ):
            with pytest.raises(NotFoundError) as refused:
                await deed
            statuses.append(refused.value.status_code)
        return statuses

    assert ask(thief, steal) == [404] * 5
    assert rows() == (1, 2, 1)


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "tools": ({"tools": [{"type": "web_search"}]}, "tools"),
    "a tool's output": ({"input": [{"type": "function_call_output"}]}, "input[0].type"),
    "a reference": ({"input": [{"type": "item_reference", "id": "msg_1"}]}, "input[0].type"),
    "no input": ({"input": None}, "input"),
    "F1 blank": ({"input": " "}, "input"),
    "a stored file": (
        {"input": [{"role": "user", "content": [{"type": "input_file", "file_id": "file-1"}]}]},
        "input[0].content[0]",
    ),
    "SSRF a file elsewhere": (
        {"input": [{"role": "user", "content": [{"type": "input_file", "file_url": "http://10.0.0.1/"}]}]},
        "input[0].content[0]",
    ),
    "both": ({"previous_response_id": f"resp_{'0' * 32}", "conversation": "0" * 32}, "previous_response_id"),
    "an id of another kind": ({"previous_response_id": "msg_1"}, "previous_response_id"),
    "reasoning": ({"reasoning": {"effort": "high"}}, "reasoning"),
    "JSON only": ({"text": {"format": {"type": "json_object"}}}, "text"),
    "background as text": ({"background": "yes"}, "background"),
    "F2 long instructions": ({"instructions": "x" * 100_001}, "instructions"),
}


def test_bad_input_is_refused_with_the_parameter_named(program: Program, openai: FakeOpenAI) -> None:
    async def all_of_them() -> dict[str, Answer]:
        asked = {case: {"model": "general", "input": "One"} | more for case, (more, _) in BAD.items()}
        return {case: await program.post(ADDRESS, body) for case, body in asked.items()}

    for case, answer in run(all_of_them).items():
        assert answer.status == 400, case
        assert answer.body["error"]["param"] == BAD[case][1], case
    assert rows() == (0, 0, 0)
    assert openai.requests() == []


def test_a_field_that_is_no_object_is_refused(program: Program) -> None:
    with pytest.raises(BadRequestError):
        create(program, "One", extra_body={"metadata": ["conversation"]})
