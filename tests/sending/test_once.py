"""What is sent twice is one message and one paid answer, whatever happens in between."""

from __future__ import annotations

import asyncio
import contextlib
import uuid

import pytest
from django.utils import timezone

from conversations.models import Generation, Message
from rest import idempotency
from rest.models import IdempotentRequest
from tests.fakes.process import FakeOpenAI
from tests.live.running import until
from tests.sending.asking import SSE, Answer, Event, Program, at_work
from tests.sending.reading import run

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_jobs")]
START = "/api/v1/conversations/"
HELLO = {"text": "Hello"}
SLOW = {"texts": ["One ", "two ", "three"], "gap": {"after": 1, "ms": 800}}


@pytest.fixture
def program(transactional_db: None) -> Program:
    return Program.of()


def prompts() -> int:
    return Message.objects.filter(role="user").count()


def calls() -> int:
    return Generation.objects.filter(purpose="answer").count()


def is_text(event: Event) -> bool:
    return event.name == "text"


def test_i4_the_same_request_gets_the_same_answer(program: Program, openai: FakeOpenAI) -> None:
    async def twice() -> list[Answer]:
        return [await program.post(START, HELLO, Idempotency_Key="one") for _ in range(2)]

    first, second = at_work(twice)
    assert (first.status, second.status) == (201, 201)
    assert first.body == second.body
    assert second.headers["Location"] == first.headers["Location"]
    assert second.headers["Idempotency-Replayed"] == "true"
    assert (prompts(), calls()) == (1, 1)


def test_another_request_with_the_same_key_is_a_conflict(program: Program, openai: FakeOpenAI) -> None:
    async def twice() -> list[Answer]:
        return [await program.post(START, {"text": text}, Idempotency_Key="one") for text in ("Hello", "Bye")]

    first, second = at_work(twice)
    assert (first.status, second.status, second.code) == (201, 409, "idempotency_key_reused")
    assert prompts() == 1


def test_what_was_refused_may_be_mended_and_sent_again_at_once(program: Program, openai: FakeOpenAI) -> None:
    async def mend() -> list[Answer]:
        refused = [await program.post(START, {"text": " "}, Idempotency_Key="one") for _ in range(2)]
        return [*refused, await program.post(START, HELLO, Idempotency_Key="two")]

    first, second, third = at_work(mend)
    assert [(one.status, one.code) for one in (first, second)] == [(422, "empty")] * 2
    assert third.status == 201


def test_i4_who_left_and_asks_again_gets_the_answer_that_was_begun(program: Program, openai: FakeOpenAI) -> None:
    openai.script([SLOW])

    async def leave() -> Answer:
        first = asyncio.create_task(program.post(START, HELLO, Idempotency_Key="one"))
        await until(lambda: Message.objects.filter(status="streaming").exists())
        first.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await first
        return await program.post(START, HELLO, Idempotency_Key="one")

    answer = at_work(leave)
    assert (answer.status, answer.body["text"]) == (201, "One two three")
    assert (prompts(), calls()) == (1, 1)


def test_i4_a_stream_that_was_cut_is_asked_for_again_by_the_same_request(program: Program, openai: FakeOpenAI) -> None:
    openai.script([SLOW])

    async def cut() -> tuple[Answer, Answer]:
        first = await program.post(START, HELLO, accept=SSE, until=is_text, Idempotency_Key="one")
        return first, await program.post(START, HELLO, accept=SSE, Idempotency_Key="one")

    first, second = at_work(cut)
    assert first.text() == "One "
    assert (second.text(), second.events[-1].name) == ("One two three", "completed")
    assert (prompts(), calls()) == (1, 1)


def test_i4_a_request_whose_process_died_before_the_answer_doubles_nothing(
    program: Program, openai: FakeOpenAI
) -> None:
    async def all_twice() -> list[tuple[Answer, Answer]]:
        first = await program.post(START, HELLO, Idempotency_Key="start")
        message = f"/api/v1/messages/{first.body['id']}"
        requests = [
            (START, HELLO, "start"),
            (f"{START}{first.body['conversation']}/messages/", {"text": "And?"}, "send"),
            (f"{message}/retry/", {}, "retry"),
            (f"/api/v1/messages/{first.body['parent']}/edit/", {"text": "Hallo"}, "edit"),
        ]
        answers = []
        for address, body, key in requests:
            before = await program.post(address, body, Idempotency_Key=key)
            silent = timezone.now() - idempotency.SILENCE
            await IdempotentRequest.objects.all().aupdate(state="running", seen_at=silent)
            answers.append((before, await program.post(address, body, Idempotency_Key=key)))
        return answers

    for before, after in at_work(all_twice):
        assert (before.status, before.body) == (after.status, after.body)
    assert (prompts(), calls()) == (3, 4)


def test_i4_a_day_later_the_same_key_sends_again_whatever_it_says(program: Program, openai: FakeOpenAI) -> None:
    async def daily() -> list[Answer]:
        first = await program.post(START, HELLO, Idempotency_Key="daily")
        send = f"{START}{first.body['conversation']}/messages/"
        answers = [first]
        for address, text in ((START, "Hello"), (send, "Hello"), (START, "Bye")):
            await IdempotentRequest.objects.all().aupdate(created_at=timezone.now() - idempotency.KEPT)
            answers.append(await program.post(address, {"text": text}, Idempotency_Key="daily"))
        return answers

    answers = at_work(daily)
    assert [answer.status for answer in answers] == [201] * 4
    assert len({answer.body["id"] for answer in answers}) == 4
    assert answers[2].body["conversation"] == answers[0].body["conversation"]
    assert (prompts(), calls()) == (4, 4)


def test_i4_a_token_of_the_client_does_the_same(program: Program, openai: FakeOpenAI) -> None:
    token = str(uuid.uuid4())

    async def twice() -> list[Answer]:
        bodies = [HELLO | {"client_token": token}] * 2 + [{"text": "Bye", "client_token": token}]
        return [await program.post(START, body) for body in bodies]

    first, second, other = at_work(twice)
    assert first.body == second.body
    assert (other.status, other.code) == (409, "token_reused")
    assert (prompts(), calls()) == (1, 1)


def test_i4_of_many_at_once_one_is_sent(program: Program, openai: FakeOpenAI) -> None:
    openai.script([SLOW])

    async def together() -> list[Answer]:
        asks = [program.post(START, HELLO, Idempotency_Key="one") for _ in range(6)]
        return await asyncio.gather(*asks)

    answers = at_work(together)
    assert sorted(answer.status for answer in answers) == [201] + [409] * 5
    assert {answer.code for answer in answers if answer.status == 409} == {"idempotency_in_progress"}
    assert (prompts(), calls()) == (1, 1)


def test_one_answer_at_a_time(program: Program, openai: FakeOpenAI) -> None:
    async def talk() -> tuple[Answer, Answer]:
        first = await program.post(START, HELLO, Prefer="respond-async")
        return first, await program.post(f"{START}{first.body['conversation']}/messages/", {"text": "And?"})

    first, second = run(talk)
    assert (first.status, second.status, second.code) == (202, 409, "busy")
    assert prompts() == 1
