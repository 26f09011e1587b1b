"""Items of shapes that no specification knows: nothing is raised, nothing unstorable comes out."""

import base64
import json
from typing import Any

import pytest

from conversations.llm import Container, ContainerFile, Finished, FunctionCall, ImageMade
from conversations.llm import made as module
from conversations.llm.reading import Reading

CALL = {"type": "function_call", "call_id": "call_1", "name": "create_file", "arguments": "{}"}
NONSENSE: list[Any] = [None, 7, -1.5, True, "", "\u0000\ud800", [], [[]], {}, {"a": [None]}, "x" * 100_000]
FIELDS = {
    "function_call": ("call_id", "name", "arguments", "status", "id"),
    "image_generation_call": ("id", "result", "status"),
    "code_interpreter_call": ("id", "container_id"),
    "message": ("id", "content", "phase", "role"),
    "reasoning": ("id", "encrypted_content", "summary"),
}


def done(item: object, index: object = 0) -> dict[str, Any]:
    return {"type": "response.output_item.done", "output_index": index, "item": item}


def completed(*output: object) -> dict[str, Any]:
    return {"type": "response.completed", "response": {"id": "resp_1", "model": "m", "output": list(output)}}


def cited(annotation: object) -> dict[str, Any]:
    return {"type": "response.output_text.annotation.added", "annotation": annotation}


def citation(number: int) -> dict[str, Any]:
    ids = {"container_id": "cntr_1", "file_id": f"cfile_{number}"}
    return {"type": "container_file_citation", "filename": f"{number}.csv", **ids}


def read(*events: object) -> list[object]:
    reading = Reading()
    told: list[object] = list(reading.read([json.dumps(event).encode() for event in events]))
    assert reading.failure is None
    assert isinstance(told[-1], Finished) or not reading.is_finished
    return told


def finished(told: list[object]) -> Finished:
    assert isinstance(told[-1], Finished)
    return told[-1]


@pytest.mark.parametrize("nonsense", NONSENSE, ids=lambda value: repr(value)[:20])
@pytest.mark.parametrize(("kind", "field"), [(kind, field) for kind, names in FIELDS.items() for field in names])
def test_u16_a_field_may_hold_anything(kind: str, field: str, nonsense: object) -> None:
    item = {**CALL, "type": kind, "container_id": "c", "result": "aGk=", "content": [{"text": "Hi"}], field: nonsense}
    told = read(done(item), completed(CALL, item))
    json.dumps(finished(told).follow_up).encode()
    for event in told:
        str(event).encode()


@pytest.mark.parametrize("nonsense", NONSENSE, ids=lambda value: repr(value)[:20])
def test_u16_an_item_an_index_and_an_annotation_may_be_anything(nonsense: object) -> None:
    told = read(
        done(nonsense),
        done(CALL, nonsense),
        cited(nonsense),
        cited({**citation(1), "filename": nonsense}),
        cited({**citation(2), "file_id": nonsense}),
        done({"type": "message", "content": [{"annotations": nonsense}, {"annotations": [nonsense]}, nonsense]}),
        completed(nonsense, CALL),
    )
    assert len([event for event in told if isinstance(event, FunctionCall)]) == 1


def test_u16_ten_thousand_annotations_are_each_file_once() -> None:
    annotations = [citation(number % 50) for number in range(10_000)]
    message = {
        "type": "message",
        "id": "m",
        "content": [{"type": "output_text", "text": "x", "annotations": annotations}],
    }
    told = read(*(cited(annotation) for annotation in annotations), done(message), completed(message))
    files = [event for event in told if isinstance(event, ContainerFile)]
    assert [file.file_id for file in files] == [f"cfile_{number}" for number in range(50)]


def test_what_only_the_final_response_shows_is_told_before_the_end() -> None:
    image = {"type": "image_generation_call", "id": "ig_1", "result": "aGk="}
    code = {"type": "code_interpreter_call", "id": "ci_1", "container_id": "cntr_1"}
    message = {"type": "message", "id": "m", "content": [{"text": "x", "annotations": [citation(1)]}]}
    told = read(completed(image, code, message, CALL))
    assert [type(event) for event in told[1:]] == [ImageMade, Container, ContainerFile, FunctionCall, Finished]


def test_a_picture_whose_item_came_before_its_bytes_is_told() -> None:
    item = {"type": "image_generation_call", "id": "ig_1", "result": None}
    told = read(done(item), done({**item, "result": "aGk="}), completed({**item, "result": "aGk="}))
    assert [event.data for event in told if isinstance(event, ImageMade)] == [b"hi"]


def test_a_call_that_was_cut_off_is_none() -> None:
    cut = {**CALL, "arguments": '{"name": "a', "status": "incomplete"}
    told = read({**completed(cut), "type": "response.incomplete"})
    assert not [event for event in told if isinstance(event, FunctionCall)]
    assert finished(told).follow_up == ()


def test_a_call_without_an_id_to_answer_is_none_and_one_told_twice_is_one() -> None:
    told = read(done({**CALL, "call_id": ""}), done(CALL), done({**CALL, "name": "again"}), completed(CALL))
    assert [event for event in told if isinstance(event, FunctionCall)] == [FunctionCall("call_1", "create_file", "{}")]
    assert [item["call_id"] for item in finished(told).follow_up] == ["call_1"]


def test_u21_ids_names_and_text_can_be_stored_whatever_they_hold() -> None:
    bad = "\u0000\ud800" + "x" * 3_000
    item = {**CALL, "call_id": bad, "name": bad, "arguments": "a\u0000"}
    message = {"type": "message", "id": bad, "content": [{"type": "output_text", "text": "a\u0000b\ud800"}]}
    told = read(done(message), done(item), cited({**citation(1), "filename": bad}), completed())
    call = next(event for event in told if isinstance(event, FunctionCall))
    file = next(event for event in told if isinstance(event, ContainerFile))
    assert (len(call.call_id), len(call.name), call.arguments) == (200, 200, "a\ufffd")
    assert (len(file.name), file.name[:3]) == (1_000, "\ufffd\ufffdx")
    assert finished(told).follow_up[0]["content"] == "a\ufffdb\ufffd"


def test_huge_arguments_are_cut_to_what_no_file_needs() -> None:
    told = read(done({**CALL, "arguments": "x" * 11_000_000}), completed())
    call = next(event for event in told if isinstance(event, FunctionCall))
    assert len(call.arguments) == module.ARGUMENTS_CHARACTERS


def test_a_picture_above_the_limit_is_a_logged_nothing(caplog: pytest.LogCaptureFixture) -> None:
    item = {"type": "image_generation_call", "id": "ig_1"}
    too_large = base64.b64encode(bytes(module.MAX_IMAGE_BYTES + 1)).decode()
    told = read(done({**item, "result": too_large}), completed({**item, "result": too_large}))
    assert not [event for event in told if isinstance(event, ImageMade)]
    assert len(caplog.records) == 1
    exact = base64.b64encode(bytes(module.MAX_IMAGE_BYTES)).decode()
    told = read(done({**item, "result": exact}), completed())
    assert [len(event.data) for event in told if isinstance(event, ImageMade)] == [module.MAX_IMAGE_BYTES]


def test_the_phase_of_a_message_goes_back() -> None:
    message = {"type": "message", "id": "m", "phase": "commentary", "content": [{"type": "output_text", "text": "So:"}]}
    assert finished(read(done(message), done(CALL, 1), completed())).follow_up[0]["phase"] == "commentary"
