"""Who is named answers: what a response says of its model is what was asked and is billed."""

from __future__ import annotations

from typing import Any

import pytest

from conversations.models import Conversation, Generation
from tests.door.asking import bodies
from tests.factories import make_model
from tests.fakes.process import FakeOpenAI
from tests.sending.asking import Answer, Program, at_work

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_jobs")]
DOOR, CHAT = "/v1/chat/completions", "/api/v1/chat/"
ONE, TWO = ({"role": "user", "content": text} for text in ("One", "Two"))
OTHER = "gpt-4o-mini"


@pytest.fixture
def writer(transactional_db: None) -> Program:
    """A program of somebody who may use one assistant, and another model than its own."""
    program = Program.of()
    make_model(OTHER)
    return program


def go_on(writer: Program, address: str, field: str, **named: str) -> Answer:
    """Say one thing to the other model, and the next in the same conversation as told."""

    async def talk() -> Answer:
        begun = await writer.post(DOOR, {"model": OTHER, "messages": [ONE]})
        said = {"role": "assistant", "content": begun.body["choices"][0]["message"]["content"]}
        body: dict[str, Any] = {field: [ONE, said, TWO], "conversation": begun.body["conversation"], **named}
        return await writer.post(address, body)

    answer = at_work(talk)
    assert Conversation.objects.get().assistant == writer.assistant
    return answer


def asked(openai: FakeOpenAI) -> list[str]:
    return [body["model"] for body in bodies(openai)]


def test_an_assistant_that_is_named_at_the_door_answers_with_its_own_model(writer: Program, openai: FakeOpenAI) -> None:
    answer = go_on(writer, DOOR, "messages", model=writer.assistant.slug)
    assert (answer.status, answer.body["model"]) == (200, writer.assistant.slug)
    assert asked(openai) == [OTHER, "gpt-4o"]
    assert sorted(Generation.objects.values_list("model__name", flat=True)) == ["gpt-4o", OTHER]


def test_a_model_that_is_named_at_the_door_goes_on_answering(writer: Program, openai: FakeOpenAI) -> None:
    assert go_on(writer, DOOR, "messages", model=OTHER).status == 200
    assert asked(openai) == [OTHER, OTHER]


@pytest.mark.parametrize("is_named", [True, False])
def test_a_chat_that_names_its_assistant_again_keeps_the_model_that_was_chosen(
    writer: Program, openai: FakeOpenAI, is_named: bool
) -> None:
    named = {"assistant": writer.assistant.slug} if is_named else {}
    assert go_on(writer, CHAT, "history", **named).status == 200
    assert asked(openai) == [OTHER, OTHER]


def test_a_chat_that_names_assistant_and_model_has_both(writer: Program, openai: FakeOpenAI) -> None:
    assert go_on(writer, CHAT, "history", assistant=writer.assistant.slug, model="gpt-4o").status == 200
    assert asked(openai) == [OTHER, "gpt-4o"]
