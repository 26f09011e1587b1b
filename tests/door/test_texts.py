"""Texts that trip programs up: what is no text, U+0000, and the line breaks of Unicode."""

from __future__ import annotations

import json
from typing import Any

import pytest
from openai import AsyncOpenAI

from tests.door.asking import ask, rows
from tests.fakes.process import FakeOpenAI
from tests.sending.asking import Answer, Program
from tests.sending.reading import run

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_jobs")]
ODD_LINES = "One\u2028two\u2029three\u0085four\x0bfive"
HELLO: Any = [{"role": "user", "content": "Hello"}]


@pytest.fixture
def writer(transactional_db: None) -> Program:
    """A program of somebody who may use an assistant."""
    return Program.of()


def test_f18_the_type_of_a_part_must_be_a_text(writer: Program, openai: FakeOpenAI) -> None:
    async def talk() -> list[Answer]:
        answers = []
        for kind in (["text"], {"text": 1}, 1, None):
            content = [{"type": kind, "text": "Hello"}]
            body = {"model": writer.assistant.slug, "messages": [{"role": "user", "content": content}]}
            answers.append(await writer.post("/v1/chat/completions", body))
        return answers

    for answer in run(talk):
        error = answer.body["error"]
        assert answer.status == 400
        assert (error["param"], error["code"]) == ("messages[0].content[0].type", "invalid_type")
        assert error["message"] == "“type” must be a text."
    assert rows() == (0, 0, 0)


def test_f3_a_model_with_u_0000_in_its_name_is_not_there(writer: Program, openai: FakeOpenAI) -> None:
    body = {"model": "gpt-4o\u0000", "messages": HELLO}
    answer = run(lambda: writer.post("/v1/chat/completions", body))
    assert (answer.status, answer.body["error"]["code"]) == (404, "model_not_found")
    assert rows() == (0, 0, 0)


@pytest.mark.parametrize("address", ["chat/completions", "responses"])
def test_each_line_of_a_stream_is_whole_for_clients_that_know_unicodes_line_breaks(
    writer: Program, openai: FakeOpenAI, address: str
) -> None:
    openai.script([{"text": ODD_LINES}])

    async def work(client: AsyncOpenAI) -> list[str]:
        slug = writer.assistant.slug
        if address == "responses":
            streaming: Any = client.responses.with_streaming_response.create(model=slug, input="Hello", stream=True)
        else:
            completions = client.chat.completions.with_streaming_response
            streaming = completions.create(model=slug, messages=HELLO, stream=True)
        async with streaming as response:
            return [line async for line in response.iter_lines()]

    told = [line.removeprefix("data: ") for line in ask(writer, work) if line.startswith("data: {")]
    events = [json.loads(line) for line in told]
    if address == "responses":
        assert events[-1]["response"]["output"][0]["content"][0]["text"] == ODD_LINES
    else:
        assert "".join(event["choices"][0]["delta"].get("content") or "" for event in events) == ODD_LINES
