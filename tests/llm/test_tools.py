"""What tools make comes out of the stream, each thing once; and a function's output goes back in the next step."""

import base64
from typing import Any

import openai
import pytest

from conversations.llm import Container, ContainerFile, Event, FunctionCall, ImageMade, Timeouts, resume, stream
from tests.fakes.openai_server import FakeOpenAI
from tests.fakes.tools import tiny_image
from tests.llm.conftest import SHORT, Answer, Ask, collect, make_request, run

REPORT = {"name": "report.csv", "content": "a,b\n1,„2“ 😀\n"}


def of_kind[T](answer: Answer, kind: type[T]) -> list[T]:
    return [event for event in answer.events if isinstance(event, kind)]


def outputs(answer: Answer) -> tuple[dict[str, Any], ...]:
    return tuple(
        {"type": "function_call_output", "call_id": call.call_id, "output": "written"}
        for call in of_kind(answer, FunctionCall)
    )


def ask_in_steps(fake: FakeOpenAI, scenario: dict[str, Any], *, steps: int = 2) -> list[Answer]:
    """Ask, answer the function calls and ask on."""
    fake.script([scenario])

    async def ask_on() -> list[Answer]:
        answers: list[Answer] = []
        items: tuple[dict[str, Any], ...] = ()
        for _ in range(steps):
            answers.append(await collect(stream(make_request(tools=("create_file",), items=items), timeouts=SHORT)))
            items += answers[-1].finished.follow_up + outputs(answers[-1])
        return answers

    return run(ask_on)


def test_a_function_call_is_told_whole_and_answered_in_the_next_step(fake: FakeOpenAI) -> None:
    first, second = ask_in_steps(fake, {"create_file": REPORT, "text": "Here is your report."})
    (call,) = of_kind(first, FunctionCall)
    assert call.name == "create_file"
    assert '"report.csv"' in call.arguments
    assert first.activities == ["Writing a file…", ""]
    assert first.text == ""
    assert first.finished.follow_up == (
        {"type": "function_call", "call_id": call.call_id, "name": call.name, "arguments": call.arguments},
    )
    assert second.finished.text == "Here is your report."
    assert second.finished.follow_up == ()
    assert fake.requests()[1]["body"]["input"][1:] == [*first.finished.follow_up, *outputs(first)]


def test_u22_twenty_calls_at_once_with_arguments_in_a_hundred_pieces(fake: FakeOpenAI) -> None:
    files = [{"name": f"{number}.txt", "content": "x" * 3_000} for number in range(20)]
    first, second = ask_in_steps(fake, {"create_file": files, "text": "All written."})
    calls = of_kind(first, FunctionCall)
    assert [f'"{number}.txt"' in call.arguments for number, call in enumerate(calls)] == [True] * 20
    assert len({call.call_id for call in calls}) == 20
    assert second.finished.text == "All written."


@pytest.mark.parametrize("arguments", ["", "{not json", "[]", '"\\u0000\\ud800"', "x" * 200_000])
def test_u22_arguments_that_are_nonsense_and_unknown_functions_are_handed_on(fake: FakeOpenAI, arguments: str) -> None:
    first, second = ask_in_steps(
        fake, {"function_calls": [{"name": "launch_rocket", "arguments": arguments}], "text": "Sorry."}
    )
    (call,) = of_kind(first, FunctionCall)
    assert (call.name, call.arguments) == ("launch_rocket", arguments)
    assert first.activities == ["Using a tool…", ""]
    assert second.finished.text == "Sorry."


def test_text_and_encrypted_reasoning_go_back_with_the_call(fake: FakeOpenAI) -> None:
    scenario = {
        "reasoning": {"encrypted": "gAAAA"},
        "before": "I write it now.",
        "create_file": REPORT,
        "text": "Done.",
    }
    first, second = ask_in_steps(fake, scenario)
    reasoning, message, call = first.finished.follow_up
    assert reasoning["encrypted_content"] == "gAAAA"
    assert message == {"type": "message", "role": "assistant", "content": "I write it now."}
    assert call["type"] == "function_call"
    assert first.text == "I write it now."
    assert second.finished.text == "Done."


@pytest.mark.parametrize(
    "tools",
    [
        {"reasoning": {}},
        {"reasoning": {"encrypted": "gAAAA"}, "code_interpreter": {}},
        {"reasoning": {"encrypted": "gAAAA"}, "image": {}},
    ],
)
def test_reasoning_that_the_provider_would_refuse_is_not_sent_back(fake: FakeOpenAI, tools: dict[str, Any]) -> None:
    first, second = ask_in_steps(fake, {**tools, "create_file": REPORT, "text": "Done."})
    assert [item["type"] for item in first.finished.follow_up] == ["function_call"]
    assert second.finished.text == "Done."


def test_steps_may_follow_steps(fake: FakeOpenAI) -> None:
    scenario = {"create_file": REPORT, "then": {"create_file": REPORT, "then": {"text": "Both are done."}}}
    answers = ask_in_steps(fake, scenario, steps=3)
    assert [len(of_kind(answer, FunctionCall)) for answer in answers] == [1, 1, 0]
    assert answers[-1].finished.text == "Both are done."


def test_a_picture_is_told_once_and_nothing_of_it_goes_back(fake: FakeOpenAI) -> None:
    first, _ = ask_in_steps(fake, {"image": {"size": [3, 2]}, "create_file": REPORT, "text": "Done."})
    (image,) = of_kind(first, ImageMade)
    assert (image.data, image.content_type) == (tiny_image((3, 2)), "image/png")
    assert image.item_id.startswith("ig_")
    assert first.activities == ["Drawing a picture…", "", "Writing a file…", ""]
    assert "result" not in str(first.finished.follow_up)


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp", "gif"])
def test_the_type_of_a_picture_is_what_its_bytes_say(ask: Ask, kind: str) -> None:
    (image,) = of_kind(ask(text="Done.", image={"format": kind}), ImageMade)
    assert image.content_type == f"image/{kind}"


def test_what_is_no_picture_is_bytes_and_what_is_no_base64_is_nothing(ask: Ask) -> None:
    (made,) = of_kind(ask(image={"base64": base64.b64encode(b"<svg/>").decode()}), ImageMade)
    assert (made.data, made.content_type) == (b"<svg/>", "application/octet-stream")
    answer = ask(image={"base64": "ünd%%"}, text="Done.")
    assert of_kind(answer, ImageMade) == []
    assert answer.finished.text == "Done."


def test_files_of_code_are_told_where_cited_and_their_container_once(ask: Ask) -> None:
    files = [{"name": "a.csv"}, {"name": "../../etc/b\u0000.csv"}, {"name": "hidden.csv", "cited": False}]
    answer = ask(code_interpreter={"files": files})
    (container,) = of_kind(answer, Container)
    cited = of_kind(answer, ContainerFile)
    assert [(file.container_id, file.name) for file in cited] == [
        (container.container_id, "a.csv"),
        (container.container_id, "../../etc/b\ufffd.csv"),
    ]
    assert "sandbox:/mnt/data/a.csv" in answer.text
    kinds = [type(event) for event in answer.events]
    assert kinds.index(Container) < kinds.index(ContainerFile) < len(kinds) - 1


def test_u9_what_was_made_before_a_cut_is_not_made_again(ask: Ask) -> None:
    scenarios: list[dict[str, Any]] = [{"create_file": REPORT}, {"image": {}}]
    for scenario in scenarios:
        answer = ask(cut="eof", texts=[], **scenario)
        assert (answer.failed.code, answer.failed.retryable) == ("connection", False)


def test_u9_a_cut_before_anything_was_made_is_retryable(ask: Ask) -> None:
    assert ask(code_interpreter={}, cut="eof", after=0).failed.retryable


def test_u9_a_resumed_answer_tells_again_what_was_made(fake: FakeOpenAI, settings: Any) -> None:
    settings.OPENAI_BACKGROUND = True
    fake.script([{"image": {}, "code_interpreter": {"files": [{}]}, "create_file": REPORT, "cut": "eof"}])
    cut_off = run(lambda: collect(stream(make_request(), timeouts=SHORT)))
    resumed = run(lambda: collect(resume(cut_off.failed.response_id, timeouts=SHORT)))

    def made(answer: Answer) -> list[Event]:
        return [e for e in answer.events if isinstance(e, FunctionCall | ImageMade | Container)]

    assert made(cut_off) == made(resumed)
    assert len(resumed.finished.follow_up) == 1


def test_u19_a_function_call_may_be_silent_for_as_long_as_a_tool(ask: Ask) -> None:
    answer = ask(Timeouts(between_events=0.8), image={"gap_ms": 1_500}, text="Done.")
    assert answer.finished.text == "Done."


def test_events_of_tools_parse_strictly_with_the_sdk_types(fake: FakeOpenAI) -> None:
    strict = openai.OpenAI(api_key="x", base_url=fake.base_url, _strict_response_validation=True)
    for scenario in (
        {"create_file": REPORT, "before": "So:", "reasoning": {"encrypted": "x"}},
        {"code_interpreter": {"files": [{}, {"cited": False}]}, "image": {}},
    ):
        fake.script([scenario])
        with strict.responses.create(model="gpt-4o", input="Hello", stream=True) as events:
            assert [event.type for event in events][-1] == "response.completed"
