"""Whoever sends a message over the API gets its answer: waited for, streamed, or to be looked for."""

from __future__ import annotations

import asyncio

import pytest

from conversations.models import Message
from tests.factories import make_file, make_model
from tests.fakes.folder import FilesFolder
from tests.fakes.process import FakeOpenAI
from tests.live.running import until
from tests.sending.asking import SSE, Answer, Program, at_work
from tests.sending.reading import run

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_jobs")]
START = "/api/v1/conversations/"


@pytest.fixture
def program(transactional_db: None) -> Program:
    return Program.of()


def test_a_first_prompt_is_answered_when_the_answer_has_ended(program: Program, openai: FakeOpenAI) -> None:
    openai.script([{"text": "Hello there."}])
    answer = at_work(lambda: program.post(START, {"text": "Hello", "assistant": program.assistant.slug}))

    assert answer.status == 201, answer
    message = Message.objects.get(role="assistant")
    assert answer.body | {"created_at": "", "finished_at": "", "usage": ""} == {
        "id": str(message.pk),
        "conversation": str(message.conversation_id),
        "parent": str(message.parent_id),
        "role": "assistant",
        "status": "completed",
        "text": "Hello there.",
        "created_at": "",
        "finished_at": "",
        "error": None,
        "files": [],
        "usage": "",
        "model": "gpt-4o",
        "assistant": program.assistant.slug,
    }
    assert answer.body["usage"]["total_tokens"] > 0
    assert answer.headers["Location"] == f"http://testserver/api/v1/messages/{message.pk}/"


def test_a_stream_brings_the_same_answer_piece_by_piece(program: Program, openai: FakeOpenAI) -> None:
    text = " ".join(f"word-{number} ü😀" for number in range(80))
    openai.script([{"text": text, "delay_ms": 5}])
    answer = at_work(lambda: program.post(START, {"text": "Hello"}, accept=SSE))

    assert (answer.status, answer.headers["Content-Type"]) == (200, SSE)
    assert answer.headers["Cache-Control"] == "no-store, private"
    assert answer.headers["X-Accel-Buffering"] == "no"
    assert len(answer.data("text")) > 1
    assert answer.text() == text
    assert [event.name for event in answer.events][-1] == "completed"
    (completed,) = answer.data("completed")
    assert (completed["status"], completed["text"]) == ("completed", text)
    assert answer.headers["Location"].endswith(f"/api/v1/messages/{completed['id']}/")
    ends = [event.id for event in answer.events if event.name == "text"]
    assert ends == [str(one["start"] + len(one["text"])) for one in answer.data("text")]


def test_who_does_not_wait_is_told_where_to_look(program: Program, openai: FakeOpenAI) -> None:
    openai.script([{"text": "Hello there."}])
    answer = run(lambda: program.post(START, {"text": "Hello"}, Prefer="respond-async"))

    assert answer.status == 202
    assert answer.headers["Preference-Applied"] == "respond-async"
    assert answer.headers["Retry-After"] == "1"
    assert (answer.body["status"], answer.body["text"], answer.body["usage"]) == ("queued", "", None)

    async def look() -> Answer:
        streamed = await program.get(f"{answer.headers['Location']}stream/")
        assert streamed.text() == "Hello there."
        return await program.get(answer.headers["Location"])

    found = at_work(look)
    assert (found.status, found.body["status"], found.body["text"]) == (200, "completed", "Hello there.")


def test_who_waits_for_a_while_is_told_how_it_stands_then(program: Program, openai: FakeOpenAI) -> None:
    openai.script([{"texts": ["One ", "two ", "three"], "gap": {"after": 2, "ms": 20_000}}])
    answer = at_work(lambda: program.post(START, {"text": "Hello"}, Prefer="wait=1, respond-async"))
    assert (answer.status, answer.headers["Preference-Applied"]) == (202, "wait=1")
    assert (answer.body["status"], answer.body["text"]) == ("streaming", "One two ")


@pytest.mark.parametrize(
    ("scenario", "status", "code"),
    [
        ({"text": "Half of", "incomplete": "max_output_tokens"}, "incomplete", None),
        ({"refusal": "I will not."}, "refused", None),
        ({"status": 401}, "failed", "wrong_key"),
    ],
    ids=["cut off", "refused", "failed"],
)
def test_an_answer_that_failed_says_so_waited_for_and_streamed(
    program: Program, openai: FakeOpenAI, scenario: dict[str, object], status: str, code: str | None
) -> None:
    openai.script([scenario, scenario])

    async def ask_twice() -> tuple[Answer, Answer]:
        return await program.post(START, {"text": "Hello"}), await program.post(START, {"text": "Hi"}, accept=SSE)

    waited, streamed = at_work(ask_twice)
    (completed,) = streamed.data("completed")
    assert (waited.status, streamed.status) == (201, 200)
    assert waited.body["status"] == completed["status"] == status
    for message in (waited.body, completed):
        assert (message["error"] or {}).get("code") == code
    if code is None:
        assert streamed.text() == completed["text"] == waited.body["text"] != ""


def test_a_conversation_goes_on_on_the_path_that_is_named(program: Program, openai: FakeOpenAI) -> None:
    openai.script([{"text": text} for text in ("First.", "Second.", "Beside it.")])

    async def talk() -> list[Answer]:
        first = await program.post(START, {"text": "One"})
        thread = f"/api/v1/conversations/{first.body['conversation']}/messages/"
        second = await program.post(thread, {"text": "Two", "parent": None})
        beside = await program.post(thread, {"text": "Another two", "parent": first.body["id"]})
        return [first, second, beside]

    first, second, beside = at_work(talk)
    assert [one.body["text"] for one in (first, second, beside)] == ["First.", "Second.", "Beside it."]
    parents = dict(Message.objects.values_list("id", "parent_id"))
    assert [str(parents[Message.objects.get(text=text).pk]) for text in ("Two", "Another two")] == [
        first.body["id"],
        first.body["id"],
    ]
    assert str(Message.objects.get(text="Beside it.").conversation.current_leaf_id) == beside.body["id"]


def test_an_answer_is_asked_for_again_a_prompt_edited_and_a_cut_off_one_gone_on_with(
    program: Program, openai: FakeOpenAI
) -> None:
    openai.script(
        [
            {"text": "Half of", "incomplete": "max_output_tokens"},
            {"text": " the whole."},
            {"text": "Again."},
            {"text": "Edited."},
        ]
    )

    async def talk() -> list[Answer]:
        first = await program.post(START, {"text": "One"})
        address = f"/api/v1/messages/{first.body['id']}"
        return [
            first,
            await program.post(f"{address}/continue/"),
            await program.post(f"{address}/retry/", {"model": "gpt-4o"}),
            await program.post(f"/api/v1/messages/{first.body['parent']}/edit/", {"text": "Uno"}, accept=SSE),
        ]

    first, more, again, edited = at_work(talk)
    assert (first.body["status"], more.body["text"], again.body["text"]) == ("incomplete", " the whole.", "Again.")
    assert again.body["parent"] == first.body["parent"]
    assert edited.text() == "Edited."
    assert Message.objects.get(pk=edited.data("completed")[0]["parent"]).text == "Uno"
    assert Message.objects.get(pk=first.body["id"]).text == "Half of"


def test_a_stop_ends_the_answer_for_all_who_wait(program: Program, openai: FakeOpenAI) -> None:
    openai.script([{"texts": ["One ", "two"], "gap": {"after": 1, "ms": 20_000}}])

    async def stop() -> tuple[Answer, Answer, Answer, Answer]:
        waiting = asyncio.create_task(program.post(START, {"text": "Hello"}))
        answer = await until(lambda: Message.objects.filter(status="streaming").exclude(chunks=None).first())
        address = f"/api/v1/messages/{answer.pk}"
        streaming = asyncio.create_task(program.get(f"{address}/stream/"))
        await asyncio.sleep(0.3)
        stopped = await program.post(f"{address}/stop/")
        return await waiting, await streaming, stopped, await program.post(f"{address}/stop/")

    waited, streamed, stopped, again = at_work(stop)
    assert (waited.status, stopped.status, again.status) == (201, 200, 200)
    assert stopped.body == again.body
    assert waited.body == stopped.body == streamed.data("completed")[0]
    assert (stopped.body["status"], stopped.body["text"], streamed.text()) == ("stopped", "One ", "One ")
    assert stopped.body["usage"]["is_estimated"] is True


def test_what_has_ended_by_itself_cannot_be_stopped(program: Program, openai: FakeOpenAI) -> None:
    async def stop() -> Answer:
        answer = await program.post(START, {"text": "Hello"})
        return await program.post(f"/api/v1/messages/{answer.body['id']}/stop/")

    stopped = at_work(stop)
    assert (stopped.status, stopped.code) == (409, "not_running")


def test_files_are_told_of_as_they_come(program: Program, openai: FakeOpenAI, folder: FilesFolder) -> None:
    make_model().__class__.objects.update(tools=["code_interpreter"])
    program.assistant.tools = ["code_interpreter"]
    program.assistant.save()
    openai.script([{"text": "See the file.", "code_interpreter": {"files": [{"name": "a.csv"}]}}])
    answer = at_work(lambda: program.post(START, {"text": "Count", "assistant": program.assistant.slug}, accept=SSE))

    (completed,) = answer.data("completed")
    files = answer.data("file")
    assert [file["name"] for file in completed["files"]] == ["a.csv"]
    assert files[-1] == completed["files"][0]
    assert (files[-1]["state"], files[-1]["origin"]) == ("ready", "model")
    assert any(one["text"] for one in answer.data("activity"))
    assert answer.events[-1].name == "completed"


def test_a_file_that_was_uploaded_goes_with_a_prompt(program: Program, openai: FakeOpenAI, folder: FilesFolder) -> None:
    make_model().__class__.objects.update(accepts_images=True)
    picture = make_file(program.owner)
    body = {"text": "What is this?", "attachments": [str(picture.pk)]}
    answer = at_work(lambda: program.post(START, body))
    assert answer.body["status"] == "completed"
    picture.refresh_from_db()
    assert str(picture.message_id) == answer.body["parent"]
