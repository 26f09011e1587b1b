"""Chat completions, asked with OpenAI's own client: answered by our assistants, and on record."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from django.test import Client
from openai import APIError, AsyncOpenAI, AuthenticationError, ConflictError, NotFoundError
from pytest_django import Settings

from accounts.access import Scope
from accounts.tokens import revoke_token
from conversations.models import Conversation
from tests.door.asking import ask, bodies, rows, said
from tests.door.completions import ADDRESS, FIRST, ONE, TWO, create, stream, text_of
from tests.factories import make_model
from tests.fakes.process import FakeOpenAI
from tests.sending.asking import Answer, Program
from tests.sending.reading import run

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_jobs")]


def test_a_chat_is_answered_and_recorded_under_the_tokens_owner(program: Program, openai: FakeOpenAI) -> None:
    openai.script([{"text": "Second", "usage": {"input_tokens": 100, "output_tokens": 20, "total_tokens": 120}}])
    system: Any = {"role": "system", "content": "Answer in French."}
    answer = create(program, system, ONE, FIRST, TWO, temperature=0.5, top_p=0.9, max_tokens=200)
    (choice,) = answer.choices
    assert (choice.message.content, choice.message.role, choice.finish_reason) == ("Second", "assistant", "stop")
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens, answer.usage.total_tokens) == (100, 20, 120)
    conversation = Conversation.objects.get()
    assert conversation.owner == program.owner
    assert answer.model_extra == {"conversation": str(conversation.pk)}
    assert said() == [
        ("user", "One", True),
        ("assistant", "First", True),
        ("user", "Two", False),
        ("assistant", "Second", False),
    ]
    (asked,) = bodies(openai)
    assert asked["instructions"] == "Be brief.\n\nAnswer in French."
    assert (asked["temperature"], asked["top_p"], asked["max_output_tokens"]) == (0.5, 0.9, 200)
    assert [item["content"] for item in asked["input"]] == ["One", "First", "Two"]


def test_a_stream_brings_the_text_in_chunks_and_what_it_used(program: Program, openai: FakeOpenAI) -> None:
    openai.script([{"texts": ["Sec", "ond"], "gap": {"after": 1, "ms": 400}}])
    chunks = stream(program, ONE, FIRST, TWO, stream_options={"include_usage": True})
    assert text_of(chunks) == "Second"
    assert chunks[0].choices[0].delta.role == "assistant"
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "stop"
    assert chunks[-1].usage is not None
    assert (chunks[-1].choices, chunks[-1].usage.total_tokens > 0) == ([], True)
    assert len({chunk.id for chunk in chunks}) == 1
    assert said()[-1] == ("assistant", "Second", False)


def test_a_conversation_that_is_named_is_gone_on_with(program: Program, openai: FakeOpenAI) -> None:
    openai.script([{"text": "First"}, {"text": "Second"}, {"text": "Third"}])
    first = create(program, ONE)
    where = (first.model_extra or {})["conversation"]
    second = create(program, ONE, FIRST, TWO, extra_body={"conversation": where})
    assert (second.model_extra or {})["conversation"] == where
    again: Any = {"role": "assistant", "content": [{"type": "text", "text": "Second"}]}
    create(program, ONE, FIRST, TWO, again, ONE, metadata={"conversation": where})
    assert rows() == (1, 6, 3)
    assert not any(supplied for *_, supplied in said())
    with pytest.raises(ConflictError) as refused:
        create(program, ONE, TWO, extra_body={"conversation": {"id": where}})
    assert (refused.value.code, rows()) == ("history", (1, 6, 3))


def test_the_answer_itself_may_come_back_as_history(program: Program, openai: FakeOpenAI) -> None:
    openai.script([{"text": "First"}, {"text": "Second"}])
    first = create(program, ONE)
    where = (first.model_extra or {})["conversation"]
    create(program, ONE, first.choices[0].message.model_dump(), TWO, extra_body={"conversation": where})
    assert rows() == (1, 4, 2)


def test_any_offered_model_can_be_named(program: Program, openai: FakeOpenAI) -> None:
    make_model("gpt-4o-mini")
    create(program, ONE, model="gpt-4o-mini")
    assert bodies(openai)[0]["model"] == "gpt-4o-mini"


def test_what_can_be_asked_is_listed(program: Program) -> None:
    make_model("gpt-9", is_offered=False)

    async def look(client: AsyncOpenAI) -> tuple[list[str], str]:
        return [model.id async for model in client.models.list()], (await client.models.retrieve("general")).object

    names, kind = ask(program, look)
    assert set(names) == {program.assistant.slug, "general", "gpt-4o"}
    assert kind == "model"

    async def miss(client: AsyncOpenAI) -> object:
        return await client.models.retrieve("gpt-9")

    with pytest.raises(NotFoundError) as missing:
        ask(program, miss)
    assert missing.value.code == "model_not_found"


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "tools": ({"tools": [{"type": "function", "function": {"name": "x"}}]}, "tools"),
    "more than one answer": ({"n": 2}, "n"),
    "F18 temperature": ({"temperature": 99}, "temperature"),
    "F18 top_p": ({"top_p": -1}, "top_p"),
    "F18 no length": ({"max_tokens": 0}, "max_tokens"),
    "a true number": ({"temperature": True}, "temperature"),
    "a text for a number": ({"temperature": "hot"}, "temperature"),
    "penalty": ({"presence_penalty": 1}, "presence_penalty"),
    "JSON only": ({"response_format": {"type": "json_object"}}, "response_format"),
    "F6 an unknown field": ({"owner": 1}, "owner"),
    "stream as text": ({"stream": "yes"}, "stream"),
    "unknown stream option": ({"stream_options": {"all": True}}, "stream_options.all"),
    "F18 an unknown model": ({"model": "gpt-9"}, "model"),
    "no model": ({"model": ""}, "model"),
    "no messages": ({"messages": []}, "messages"),
    "no list": ({"messages": "One"}, "messages"),
    "a tool's message": (
        {"messages": [{"role": "tool", "content": "x", "tool_call_id": "1"}]},
        "messages[0].tool_call_id",
    ),
    "an unknown role": ({"messages": [{"role": "boss", "content": "x"}]}, "messages[0].role"),
    "F1 blank": ({"messages": [{"role": "user", "content": "\u200b "}]}, "messages[0].content"),
    "F2 too long": ({"messages": [{"role": "user", "content": "x" * 100_001}]}, "messages[0].content"),
    "ends with an answer": ({"messages": [ONE, FIRST]}, "messages"),
    "only instructions": ({"messages": [{"role": "system", "content": "x"}]}, "messages"),
    "audio": ({"messages": [{"role": "user", "content": [{"type": "input_audio"}]}]}, "messages[0].content[0].type"),
    "an image of the assistant": (
        {"messages": [{"role": "assistant", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}, ONE]},
        "messages[0].content[0].type",
    ),
    "no id": ({"conversation": "../1"}, "conversation"),
    "metadata of objects": ({"metadata": {"a": {}}}, "metadata"),
}


def test_bad_input_is_refused_in_openais_shape_with_the_parameter_named(program: Program, openai: FakeOpenAI) -> None:
    async def all_of_them() -> dict[str, Answer]:
        asked = {case: {"model": "general", "messages": [ONE]} | more for case, (more, _) in BAD.items()}
        return {case: await program.post(ADDRESS, body) for case, body in asked.items()}

    for case, answer in run(all_of_them).items():
        assert answer.status in (400, 404), case
        assert answer.headers["Content-Type"] == "application/json", case
        error = answer.body["error"]
        assert (error["param"], error["type"]) == (BAD[case][1], "invalid_request_error"), case
        assert all((error["message"], error["code"])), case
    assert rows() == (0, 0, 0)
    assert openai.requests() == []


NEUTRAL: dict[str, Any] = {
    "n": 1, "tools": [], "tool_choice": "auto", "presence_penalty": 0, "frequency_penalty": 0.0, "logprobs": False,
    "stop": None, "seed": 7, "user": "someone", "store": False, "response_format": {"type": "text"},
    "service_tier": "auto", "parallel_tool_calls": True, "logit_bias": {}, "modalities": ["text"],
}  # fmt: skip


def test_what_asks_for_nothing_may_be_there(program: Program, openai: FakeOpenAI) -> None:
    create(program, ONE, **NEUTRAL)
    assert not NEUTRAL.keys() & (bodies(openai)[0].keys() - {"store"})


@pytest.mark.parametrize(
    ("scenario", "reason"),
    [({"refusal": "I will not."}, "content_filter"), ({"incomplete": "max_output_tokens"}, "length")],
    ids=["refused", "cut off"],
)
def test_what_is_not_whole_says_so(program: Program, openai: FakeOpenAI, scenario: dict[str, Any], reason: str) -> None:
    openai.script([scenario])
    (choice,) = create(program, ONE).choices
    assert choice.finish_reason == reason
    assert (choice.message.refusal is None) == (reason == "length")


def test_a_failure_is_an_error_and_not_sent_again_by_the_client(program: Program, openai: FakeOpenAI) -> None:
    openai.script([{"status": 401, "error": {"code": "invalid_api_key"}}])

    async def twice(client: AsyncOpenAI) -> object:
        return await client.chat.completions.create(model="general", messages=[ONE])

    with pytest.raises(APIError) as failed:
        ask(program, twice, max_retries=2)
    assert failed.value.code == "wrong_key"
    assert rows() == (1, 2, 1)


def test_a_stream_whose_answer_fails_ends_with_an_error(program: Program, openai: FakeOpenAI) -> None:
    openai.script([{"texts": ["Half"], "cut": "reset"}])
    with pytest.raises(APIError) as failed:
        stream(program, ONE)
    assert failed.value.code == "connection"


def test_a_stream_whose_final_text_is_another_one_does_not_pass_for_it(program: Program, openai: FakeOpenAI) -> None:
    openai.script([{"texts": ["Wro", "ng"], "final": "Right", "gap": {"after": 1, "ms": 500}}])
    with pytest.raises(APIError) as failed:
        stream(program, ONE)
    assert failed.value.code == "text_changed"
    assert said()[-1][1] == "Right"


def test_who_does_not_wait_long_enough_is_told_and_nothing_is_lost(program: Program, openai: FakeOpenAI) -> None:
    answer = run(lambda: program.post(ADDRESS, {"model": "general", "messages": [ONE]}, Prefer="wait=0"))
    assert (answer.status, answer.body["error"]["code"]) == (504, "timeout")
    assert answer.headers["X-Should-Retry"] == "false"
    assert answer.headers["X-Conversation-Id"] == str(Conversation.objects.get().pk)


def test_a1_nobody_goes_on_in_a_conversation_of_others(program: Program, openai: FakeOpenAI) -> None:
    first = create(program, ONE)
    where = (first.model_extra or {})["conversation"]
    thief = Program.of()
    for named in (where, str(uuid.uuid4())):
        with pytest.raises(NotFoundError) as refused:
            create(thief, ONE, FIRST, TWO, extra_body={"conversation": named})
        assert refused.value.code == "not_found"
    assert rows() == (1, 2, 1)


def test_a8_only_a_living_token_that_may_write_asks(program: Program, openai: FakeOpenAI) -> None:
    reader = Program.of(program.owner, scopes=(Scope.READ,))
    with pytest.raises(APIError) as refused:
        create(reader, ONE)
    assert refused.value.code == "scope_missing"
    revoke_token(token=program.token, by=None)
    with pytest.raises(AuthenticationError) as shut:
        create(program, ONE)
    assert "revoked" in shut.value.message
    assert rows() == (0, 0, 0)


def test_a8_a_token_in_the_address_is_refused(program: Program, openai: FakeOpenAI) -> None:
    answer = run(lambda: Program.post(program, f"{ADDRESS}?key={program.secret}", {"model": "general"}))
    assert answer.status == 401
    assert answer.body["error"]["code"] == "token_in_address"


def test_f3_broken_json_is_refused_in_openais_shape(program: Program, openai: FakeOpenAI) -> None:
    for raw in (b'{"model": NaN}', b'{"a": 1, "a": 2}', b"[1]", b"\xff", b"[" * 5000, b'{"a": "\\ud800"}'):
        answer = Client().post(
            ADDRESS, raw, content_type="application/json", headers={"Authorization": f"Bearer {program.secret}"}
        )
        assert answer.status_code == 400, raw[:20]
        assert json.loads(answer.content)["error"]["type"] == "invalid_request_error", raw[:20]
    assert rows() == (0, 0, 0)


def test_q1_throttled_requests_may_be_sent_again(program: Program, openai: FakeOpenAI, settings: Settings) -> None:
    settings.API_ANSWERS_PER_MINUTE = 1
    create(program, ONE)
    answer = run(lambda: program.post(ADDRESS, {"model": "general", "messages": [ONE]}))
    assert (answer.status, answer.body["error"]["type"]) == (429, "rate_limit_error")
    assert "X-Should-Retry" not in answer.headers
    assert int(answer.headers["Retry-After"]) > 0


def test_i4_the_same_key_again_is_the_same_answer(program: Program, openai: FakeOpenAI) -> None:
    key = {"Idempotency-Key": "one"}
    first, second = (create(program, ONE, extra_headers=key) for _ in range(2))
    assert first == second
    assert rows() == (1, 2, 1)
    assert text_of(stream(program, TWO, extra_headers={"Idempotency-Key": "two"})) == text_of(
        stream(program, TWO, extra_headers={"Idempotency-Key": "two"})
    )
    assert rows() == (2, 4, 2)
