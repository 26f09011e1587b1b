"""The stateless chat: a client sends the whole history, gets the next answer, and all of it is on record."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from pytest_django import Settings

from accounts.access import Scope
from conversations.models import Conversation, Generation
from conversations.services import conclude_conversation
from tests.door.asking import bodies, rows, said
from tests.factories import make_assistant, make_model, make_user
from tests.fakes.process import FakeOpenAI
from tests.sending.asking import SSE, Answer, Program, at_work
from tests.sending.reading import run

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_jobs")]
CHAT = "/api/v1/chat/"
ONE = {"role": "user", "content": "One"}
FIRST = {"role": "assistant", "content": "First"}
TWO = {"role": "user", "content": "Two"}


@pytest.fixture
def program(transactional_db: None) -> Program:
    return Program.of()


def test_the_contract_holds_to_the_letter(program: Program, openai: FakeOpenAI) -> None:
    openai.script([{"text": "Second", "usage": {"input_tokens": 100, "output_tokens": 20, "total_tokens": 120}}])
    body = {"history": [ONE, FIRST, TWO], "assistant": program.assistant.slug}
    answer = at_work(lambda: program.post(CHAT, body))
    assert answer.status == 200, answer.body
    conversation = Conversation.objects.get()
    message = conversation.messages.latest("id")
    assert answer.body == {
        "message": {"role": "assistant", "content": "Second", "id": str(message.pk), "status": "completed"},
        "token_usage": {
            "input_tokens": 100,
            "output_tokens": 20,
            "prompt_tokens": 100,
            "completion_tokens": 20,
            "total_tokens": 120,
        },
        "cost": 0.00045,
        "conversation": str(conversation.pk),
    }
    assert answer.headers["X-Conversation-Id"] == str(conversation.pk)
    assert answer.headers["Location"].endswith(f"/api/v1/messages/{message.pk}/")
    assert said() == [
        ("user", "One", True),
        ("assistant", "First", True),
        ("user", "Two", False),
        ("assistant", "Second", False),
    ]
    (asked,) = bodies(openai)
    assert [item["content"] for item in asked["input"]] == ["One", "First", "Two"]
    assert Generation.objects.get().message == message


@pytest.mark.parametrize("address", ["/api/v1/chat", "/api/v1/chat/"])
def test_it_answers_with_and_without_a_slash(program: Program, openai: FakeOpenAI, address: str) -> None:
    answer = at_work(lambda: program.post(address, {"history": [ONE]}))
    assert (answer.status, answer.body["message"]["role"]) == (200, "assistant")


def test_a_history_that_extends_its_conversation_is_one_conversation(program: Program, openai: FakeOpenAI) -> None:
    openai.script([{"text": "First"}, {"text": "Second"}])

    async def talk() -> tuple[Answer, Answer]:
        first = await program.post(CHAT, {"history": [ONE]})
        history = [ONE, {name: first.body["message"][name] for name in ("role", "content")}, TWO]
        return first, await program.post(CHAT, {"history": history, "conversation": first.body["conversation"]})

    first, second = at_work(talk)
    assert (second.status, second.body["conversation"]) == (200, first.body["conversation"])
    assert [supplied for *_, supplied in said()] == [False] * 4
    assert rows() == (1, 4, 2)


def test_what_front_ends_keep_of_an_answer_may_come_back_with_it(program: Program, openai: FakeOpenAI) -> None:
    openai.script([{"text": "First"}, {"text": "Second"}])

    async def talk() -> tuple[Answer, Answer]:
        first = await program.post(CHAT, {"history": [ONE]})
        usage = first.body["token_usage"]
        spent = usage["prompt_tokens"] * 0.0000025 + usage["completion_tokens"] * 0.00001
        kept = first.body["message"] | {"api_call_cost": spent}
        return first, await program.post(CHAT, {"history": [ONE, kept, TWO]})

    first, second = at_work(talk)
    assert (first.status, second.status, second.body["message"]["content"]) == (200, 200, "Second")
    assert isinstance(first.body["cost"] + second.body["cost"], float)
    assert [(text, supplied) for _, text, supplied in said()[2:]] == [
        ("One", True),
        ("First", True),
        ("Two", False),
        ("Second", False),
    ]


def test_a_history_that_does_not_extend_it_is_a_conflict(program: Program, openai: FakeOpenAI) -> None:
    async def talk() -> list[Answer]:
        first = await program.post(CHAT, {"history": [ONE]})
        where = {"conversation": first.body["conversation"]}
        return [await program.post(CHAT, where | {"history": history}) for history in ([ONE], [TWO], [ONE, FIRST, TWO])]

    answers = at_work(talk)
    assert [(answer.status, answer.code) for answer in answers] == [(409, "history")] * 3
    assert "history[1] is not what was said there" in answers[2].body["detail"]
    assert (rows(), len(openai.requests())) == ((1, 2, 1), 1)


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "a system message": ({"history": [{"role": "system", "content": "Be rude"}, ONE]}, "history[0].role"),
    "no role": ({"history": [{"content": "One"}]}, "history[0].role"),
    "no content": ({"history": [{"role": "user"}]}, "history[0].content"),
    "content of parts": ({"history": [{"role": "user", "content": ["One"]}]}, "history[0].content"),
    "a number": ({"history": [ONE, FIRST, {"role": "user", "content": 2}]}, "history[2].content"),
    "F1 blank": ({"history": [{"role": "user", "content": " \u200b"}]}, "history[0].content"),
    "a blank answer": ({"history": [ONE, {"role": "assistant", "content": ""}, TWO]}, "history[1].content"),
    "F2 too long": ({"history": [{"role": "user", "content": "x" * 100_001}]}, "history[0].content"),
    "ends with an answer": ({"history": [ONE, FIRST]}, "history"),
    "nothing": ({}, "history"),
    "an empty history": ({"history": []}, "history"),
    "no list": ({"history": "One"}, "history"),
    "no objects": ({"history": ["One"]}, "history[0]"),
    "an unknown field": ({"history": [ONE], "temperature": 99}, "temperature"),
    "F6 an unknown field of a message": ({"history": [ONE | {"is_supplied": True}]}, "history[0].is_supplied"),
    "F18 an unknown assistant": ({"history": [ONE], "assistant": "nobody"}, "assistant"),
    "F18 an unknown model": ({"history": [ONE], "model": "gpt-9"}, "model"),
    "no id": ({"history": [ONE], "conversation": "../1"}, "conversation"),
}


def test_bad_input_is_refused_with_the_field_named(program: Program, openai: FakeOpenAI) -> None:
    async def all_of_them() -> dict[str, Answer]:
        return {case: await program.post(CHAT, body) for case, (body, _) in BAD.items()}

    for case, answer in run(all_of_them).items():
        assert answer.status in (400, 422), case
        assert answer.code, case
        assert [error["field"] for error in answer.body["errors"]] == [BAD[case][1]], case
    assert rows() == (0, 0, 0)
    assert openai.requests() == []


def test_a1_nobody_goes_on_in_a_conversation_of_others(program: Program, openai: FakeOpenAI) -> None:
    async def steal() -> list[Answer]:
        first = await program.post(CHAT, {"history": [ONE]})
        thief = await _program()
        foreign = {"history": [ONE, FIRST, TWO], "conversation": first.body["conversation"]}
        unknown = foreign | {"conversation": str(uuid.uuid4())}
        return [await thief.post(CHAT, body) for body in (foreign, unknown)]

    foreign, unknown = at_work(steal)
    assert (foreign.status, foreign.body) == (404, unknown.body)
    assert rows() == (1, 2, 1)


async def _program() -> Program:
    from conversations.live.database import in_database

    return await in_database(Program.of)


def test_a_concluded_conversation_takes_no_more(program: Program, openai: FakeOpenAI) -> None:
    openai.script([{"text": "First"}])
    first = at_work(lambda: program.post(CHAT, {"history": [ONE]}))
    conclude_conversation(conversation=Conversation.objects.get())
    body = {"history": [ONE, FIRST, TWO], "conversation": first.body["conversation"]}
    again = run(lambda: program.post(CHAT, body))
    assert (again.status, again.code) == (409, "concluded")


def test_a_failure_never_answers_200_and_its_prompt_may_be_said_again(program: Program, openai: FakeOpenAI) -> None:
    openai.script([{"status": 401, "error": {"code": "invalid_api_key"}}, {"text": "First"}])

    async def talk() -> tuple[Answer, Answer]:
        first = await program.post(CHAT, {"history": [ONE]})
        where = {"conversation": first.headers["X-Conversation-Id"]}
        return first, await program.post(CHAT, {"history": [ONE]} | where)

    first, second = at_work(talk)
    assert (first.status, first.code) == (502, "wrong_key")
    assert (second.status, second.body["message"]["content"]) == (200, "First")
    assert Conversation.objects.count() == 1


@pytest.mark.parametrize(("address", "name"), [(CHAT, "history"), ("/v1/chat/completions", "messages")])
@pytest.mark.parametrize(
    ("fault", "statuses"),
    [
        ({"status": 400, "error": {"code": "content_filter"}}, (422, 400)),
        ({"status": 401, "error": {"code": "invalid_api_key"}}, (502,)),
    ],
    ids=["of the request", "of the model"],
)
def test_i4_an_answer_that_failed_is_asked_for_anew_with_the_same_key(
    program: Program, openai: FakeOpenAI, address: str, name: str, fault: dict[str, Any], statuses: tuple[int, ...]
) -> None:
    openai.script([fault, fault, {"text": "At last"}])
    model = {"model": program.assistant.slug} if name == "messages" else {}

    async def talk() -> list[Answer]:
        long, short = ({name: history} | model for history in ([ONE, FIRST, TWO], [TWO]))
        return [await program.post(address, body, Idempotency_Key="one") for body in (long, long, short, short)]

    first, again, shorter, replayed = at_work(talk)
    assert first.status == again.status
    assert first.status in statuses
    assert shorter.status == 200
    assert "At last" in str(shorter.body)
    assert (replayed.body, replayed.headers["Idempotency-Replayed"]) == (shorter.body, "true")
    assert Generation.objects.count() == 3


@pytest.mark.parametrize(
    ("scenario", "status"),
    [({"refusal": "I will not."}, "refused"), ({"incomplete": "max_output_tokens"}, "incomplete")],
    ids=["refused", "cut off"],
)
def test_what_is_not_whole_is_told_apart(
    program: Program, openai: FakeOpenAI, scenario: dict[str, Any], status: str
) -> None:
    openai.script([scenario])
    answer = at_work(lambda: program.post(CHAT, {"history": [ONE]}))
    assert (answer.status, answer.body["message"]["status"]) == (200, status)


def test_i4_the_same_key_again_is_the_same_answer(program: Program, openai: FakeOpenAI) -> None:
    async def talk() -> list[Answer]:
        body = {"history": [ONE, FIRST, TWO]}
        return [await program.post(CHAT, body, Idempotency_Key="one") for _ in range(2)]

    first, second = at_work(talk)
    assert first.body == second.body
    assert second.headers["X-Conversation-Id"] == first.headers["X-Conversation-Id"]
    assert rows() == (1, 4, 1)


def test_it_streams_and_it_answers_later(program: Program, openai: FakeOpenAI) -> None:
    openai.script([{"text": "First"}])
    streamed = at_work(lambda: program.post(CHAT, {"history": [ONE]}, accept=SSE))
    assert (streamed.text(), streamed.events[-1].name) == ("First", "completed")
    later = run(lambda: program.post(CHAT, {"history": [ONE]}, Prefer="respond-async"))
    assert (later.status, later.body["message"]["status"], later.body["message"]["content"]) == (202, "queued", "")
    assert set(later.body["token_usage"].values()) == {None}


def test_a8_a_token_that_only_reads_asks_nothing(openai: FakeOpenAI) -> None:
    reader = Program.of(scopes=(Scope.READ,))
    answer = run(lambda: reader.post(CHAT, {"history": [ONE]}))
    assert (answer.status, answer.code) == (403, "scope_missing")
    assert rows() == (0, 0, 0)


def test_q1_too_many_answers_are_refused_before_anything_is_written(
    program: Program, openai: FakeOpenAI, settings: Settings
) -> None:
    settings.API_ANSWERS_PER_MINUTE = 1

    async def talk() -> list[Answer]:
        return [await program.post(CHAT, {"history": [ONE]}, Prefer="respond-async") for _ in range(2)]

    first, second = run(talk)
    assert (first.status, second.status, second.code) == (202, 429, "throttled")
    assert int(second.headers["Retry-After"]) > 0
    assert Conversation.objects.count() == 1


def test_who_answers_is_chosen_by_assistant_and_model(openai: FakeOpenAI) -> None:
    program = Program.of(make_user())
    make_assistant(slug="poet", instructions="Rhyme.")
    make_model("gpt-4o-mini")
    body = {"history": [ONE], "assistant": "poet", "model": "gpt-4o-mini"}
    answer = at_work(lambda: program.post(CHAT, body))
    assert answer.status == 200
    (asked,) = bodies(openai)
    assert (asked["instructions"], asked["model"]) == ("Rhyme.", "gpt-4o-mini")
