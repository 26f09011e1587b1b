"""Files and tools in a request: what is sent is what the Responses API wants."""

import base64

import pytest
from pytest_django import Settings

from conversations.llm import InputFile, Turn, stream, upload_file
from conversations.llm.tools import IMAGE_MODEL, describe_tools
from conversations.llm.watchdog import Timeouts
from tests.fakes.openai_server import FakeOpenAI
from tests.fakes.tools import tiny_image
from tests.llm.conftest import SHORT, Answer, collect, make_request, run

PNG = tiny_image()
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"

# For fifty megabytes on a busy machine.
PATIENT = Timeouts(first_event=60, between_events=60, tool=60, total=120)


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def test_a_turn_with_files_is_its_text_and_a_part_for_each(fake: FakeOpenAI) -> None:
    files = (InputFile("dot.png", "image/png", PNG), InputFile("Bericht „1“.docx", DOCX, b"PK\x03\x04"))
    turns = (Turn("user", "Before"), Turn("assistant", "Yes?"), Turn("user", "Look", files))
    answer = run(lambda: collect(stream(make_request(turns=turns), timeouts=SHORT)))
    assert answer.finished.outcome == "completed"
    (request,) = fake.requests()
    assert request["body"]["input"] == [
        {"type": "message", "role": "user", "content": "Before"},
        {"type": "message", "role": "assistant", "content": "Yes?"},
        {
            "type": "message",
            "role": "user",
            "content": [
                {"type": "input_text", "text": "Look"},
                {"type": "input_image", "image_url": f"data:image/png;base64,{encoded(PNG)}"},
                {
                    "type": "input_file",
                    "filename": "Bericht „1“.docx",
                    "file_data": f"data:{DOCX};base64,{encoded(b'PK\x03\x04')}",
                },
            ],
        },
    ]


def test_a_file_that_the_provider_has_is_sent_by_its_id_alone(fake: FakeOpenAI) -> None:
    async def upload_and_ask() -> tuple[str, Answer]:
        file_id = (await upload_file(name="a.pdf", content_type="application/pdf", data=b"%PDF-")).file_id
        files = (
            InputFile("a.pdf", "application/pdf", b"ignored", file_id),
            InputFile("a.png", "image/png", file_id=file_id),
        )
        turns = (Turn("user", "Read", files),)
        return file_id, await collect(stream(make_request(turns=turns), timeouts=SHORT))

    file_id, answer = run(upload_and_ask)
    assert answer.finished.outcome == "completed"
    assert fake.requests("/v1/responses")[0]["body"]["input"][0]["content"][1:] == [
        {"type": "input_file", "file_id": file_id},
        {"type": "input_image", "file_id": file_id},
    ]


def test_a_file_the_provider_has_lost_is_a_request_it_could_not_work_with(fake: FakeOpenAI) -> None:
    turns = (Turn("user", "Read", (InputFile("a.pdf", "application/pdf", file_id="file-gone"),)),)
    error = run(lambda: collect(stream(make_request(turns=turns), timeouts=SHORT))).failed
    assert (error.code, error.retryable) == ("invalid_request", False)


def test_an_assistants_turn_is_its_text_even_with_files() -> None:
    turn = Turn("assistant", "Here it is.", (InputFile("a.png", "image/png", PNG),))
    assert turn.item()["content"] == "Here it is."


def test_bytes_of_files_stay_out_of_what_is_printed() -> None:
    assert "secret" not in repr(make_request(turns=(Turn("user", "x", (InputFile("a", "text/plain", b"secret"),)),)))


@pytest.mark.parametrize(("megabytes", "code"), [(24, None), (26, "invalid_request")])
def test_f16_files_of_a_request_may_be_fifty_megabytes_together(
    fake: FakeOpenAI, megabytes: int, code: str | None
) -> None:
    files = (InputFile("a.txt", "text/plain", b"x" * megabytes * 2**20),) * 2
    answer = run(lambda: collect(stream(make_request(turns=(Turn("user", "Read", files),)), timeouts=PATIENT)))
    assert (answer.error.code if answer.error else None) == code


def test_tools_are_described_and_kept_in_the_record(fake: FakeOpenAI, settings: Settings) -> None:
    settings.OPENAI_IMAGE_MODEL = "gpt-image-9"
    request = make_request(tools=("code_interpreter", "image_generation", "create_file", "create_file"))
    run(lambda: collect(stream(request, timeouts=SHORT)))
    (sent,) = fake.requests()
    code, image, create_file = sent["body"]["tools"]
    assert code == {"type": "code_interpreter", "container": {"type": "auto"}}
    assert image == {"type": "image_generation", "model": "gpt-image-9"}
    assert (create_file["type"], create_file["name"], create_file["strict"]) == ("function", "create_file", True)
    assert create_file["parameters"]["required"] == ["name", "content"]
    assert create_file["parameters"]["additionalProperties"] is False
    assert request.as_sent()["tools"] == sent["body"]["tools"]


def test_the_image_model_is_always_named() -> None:
    assert describe_tools(["image_generation"])[0]["model"] == IMAGE_MODEL


def test_a_request_without_tools_has_no_such_key_and_parameters_may_add_their_own() -> None:
    assert "tools" not in make_request().as_sent()
    search = {"type": "web_search"}
    assert make_request(parameters={"tools": [search]}).as_sent()["tools"] == [search]
    both = make_request(parameters={"tools": [search]}, tools=("code_interpreter",)).as_sent()["tools"]
    assert [tool["type"] for tool in both] == ["web_search", "code_interpreter"]
    assert len(make_request(parameters={"tools": "nonsense"}, tools=("create_file",)).as_sent()["tools"]) == 1


def test_a_tool_that_nobody_knows_is_a_mistake_of_ours() -> None:
    with pytest.raises(KeyError):
        describe_tools(["shell"])


def test_items_follow_the_turns_as_they_are() -> None:
    items = ({"type": "function_call_output", "call_id": "call_1", "output": "done"},)
    assert make_request(items=items).body()["input"][1:] == list(items)
