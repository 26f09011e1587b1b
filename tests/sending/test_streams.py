"""A stream over the API goes on where it was cut, and ends for whoever may not read on."""

from __future__ import annotations

import asyncio
import contextlib
import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.test import AsyncClient, Client
from django.utils import timezone

from accounts.models import User
from accounts.tokens import access_of, revoke_token
from conversations.api.live import waiting
from conversations.api.live.reader import Reader
from conversations.api.live.sse import stream, written
from conversations.live.database import in_database
from conversations.models import Conversation, Message
from tests.factories import make_user
from tests.fakes.process import FakeOpenAI
from tests.live.running import until
from tests.sending.asking import SSE, Answer, Event, Program, at_work
from tests.sending.reading import held_connections, run

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_jobs")]
START = "/api/v1/conversations/"
HANGING = {"texts": ["One ", "two"], "gap": {"after": 1, "ms": 20_000}}


@pytest.fixture
def program(transactional_db: None) -> Program:
    return Program.of()


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have streams look often whether they may go on."""
    monkeypatch.setattr(waiting, "RECHECK_SECONDS", 0.3)


def stream_of(answer: Answer) -> str:
    return f"/api/v1/messages/{answer.body['id']}/stream/"


def test_i3_a_stream_goes_on_where_it_was_cut_without_a_gap(program: Program, openai: FakeOpenAI) -> None:
    text = " ".join(f"word-{number} ü😀" for number in range(120))
    openai.script([{"text": text, "delay_ms": 10}])

    async def cut_often() -> tuple[str, list[str]]:
        started = await program.post(START, {"text": "Hello"}, Prefer="respond-async")
        held, last_id, names = "", "0", []
        while "completed" not in names:
            part = await program.get(stream_of(started), until=lambda _: True, Last_Event_ID=last_id)
            assert [one["start"] for one in part.data("text")] in ([], [len(held)])
            held = part.text(held)
            last_id = part.events[0].id or last_id
            names.append(part.events[0].name)
        return held, names

    held, names = at_work(cut_often)
    assert held == text
    assert names.count("text") > 2


@pytest.mark.parametrize("given", ["-1", "1.5", "abc", "1" * 12, "+1"])
def test_an_id_that_is_none_is_refused_with_words(program: Program, given: str) -> None:
    async def ask() -> Answer:
        started = await program.post(START, {"text": "Hello"}, Prefer="respond-async")
        return await program.get(stream_of(started), Last_Event_ID=given)

    answer = run(ask)
    assert (answer.status, answer.code) == (400, "invalid")
    assert answer.body["errors"][0]["field"] == "Last-Event-ID"


def test_an_id_behind_the_end_brings_the_end(program: Program, openai: FakeOpenAI) -> None:
    async def ask() -> Answer:
        started = await program.post(START, {"text": "Hello"})
        return await program.get(stream_of(started), Last_Event_ID="99999999", accept=SSE)

    answer = at_work(ask)
    assert [event.name for event in answer.events] == ["completed"]


def test_no_character_of_a_text_ends_a_line() -> None:
    text = "a\x85b\u2028c\u2029d\x0be\r\nf"
    sent = written("text", {"start": 0, "text": text}, event_id=9)
    lines = sent.decode().splitlines()
    assert lines[-1] == ""
    assert [json.loads(line.removeprefix("data: "))["text"] for line in lines if line.startswith("data: ")] == [text]


def test_the_stream_of_a_prompt_is_its_end(program: Program) -> None:
    async def ask() -> Answer:
        started = await program.post(START, {"text": "Hello"}, Prefer="respond-async")
        return await program.get(f"/api/v1/messages/{started.body['parent']}/stream/")

    answer = run(ask)
    assert [event.name for event in answer.events] == ["text", "completed"]
    assert answer.events[-1].data["role"] == "user"


def test_while_nothing_happens_a_comment_keeps_the_connection_open(
    program: Program, openai: FakeOpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "IDLE_SECONDS", 0.5)
    openai.script([HANGING])

    async def read() -> list[bytes]:
        started = await program.post(START, {"text": "Hello"}, Prefer="respond-async")
        reader = Reader(program.owner, access_of(program.token), "", uuid.UUID(started.body["id"]))
        chunks: list[bytes] = []
        async with contextlib.aclosing(stream(reader, after=0)) as events:
            async for chunk in events:
                chunks.append(chunk)
                if chunk.startswith(b":"):
                    break
        return chunks

    chunks = at_work(read)
    assert chunks[0] == b"retry: 1000\n\n"
    assert chunks[1:] == [b'event: text\nid: 4\ndata: {"start":0,"text":"One "}\n\n', b": still here\n\n"]


def test_many_who_wait_and_read_along_hold_no_connection(program: Program, openai: FakeOpenAI) -> None:
    openai.script([HANGING] * 12)

    async def read_together() -> int:
        waits = [asyncio.create_task(program.post(START, {"text": "Hello"})) for _ in range(6)]
        waits += [asyncio.create_task(program.post(START, {"text": "Hello"}, accept=SSE)) for _ in range(6)]
        await until(lambda: Message.objects.filter(status="streaming").exclude(chunks=None).count() == 12)
        await asyncio.sleep(0.3)
        held = held_connections()
        for wait in waits:
            wait.cancel()
        await asyncio.gather(*waits, return_exceptions=True)
        return held

    assert at_work(read_together) < 4, "twelve wait; the worker of these tests looks for work now and then"


def revoke(program: Program) -> None:
    revoke_token(token=program.token, by=None)


def expire(program: Program) -> None:
    program.token.expires_at = timezone.now()
    program.token.save(update_fields=["expires_at"])


def deactivate(program: Program) -> None:
    User.objects.filter(pk=program.owner.pk).update(is_active=False)


def hide(program: Program) -> None:
    Conversation.objects.update(hidden_at=timezone.now())


@pytest.mark.usefixtures("often")
@pytest.mark.parametrize("shut_out", [revoke, expire, deactivate, hide])
def test_a9_a_stream_ends_without_a_word_for_who_may_not_read_on(
    program: Program, openai: FakeOpenAI, shut_out: Callable[[Program], None]
) -> None:
    openai.script([HANGING])

    async def read() -> tuple[Answer, Answer]:
        streaming = asyncio.create_task(program.post(START, {"text": "Hello"}, accept=SSE))
        answer = await until(lambda: Message.objects.filter(status="streaming").exclude(chunks=None).first())
        await asyncio.sleep(0.5)
        await in_database(shut_out, program=program)
        streamed = await streaming
        assert (await Message.objects.aget(pk=answer.pk)).is_running, "what was begun goes on"
        return streamed, await program.get(f"/api/v1/messages/{answer.pk}/stream/")

    streamed, again = at_work(read)
    assert [event.name for event in streamed.events] == ["text"]
    assert again.status == (404 if shut_out is hide else 401)


@pytest.mark.parametrize("shut_out", [revoke, hide])
def test_a9_who_is_shut_out_while_they_wait_is_not_told_the_answer(
    program: Program, openai: FakeOpenAI, shut_out: Callable[[Program], None]
) -> None:
    openai.script([{"texts": ["One ", "two"], "gap": {"after": 1, "ms": 700}}])

    async def wait() -> Answer:
        waiting = asyncio.create_task(program.post(START, {"text": "Hello"}))
        await until(lambda: Message.objects.filter(status="streaming").exists())
        await in_database(shut_out, program=program)
        return await waiting

    answer = at_work(wait)
    assert (answer.status, answer.code) == ((401, "not_authenticated") if shut_out is revoke else (404, "not_found"))
    assert Message.objects.get(role="assistant").text == "One two"


def test_a2_a_stranger_gets_404_whatever_they_try(program: Program, openai: FakeOpenAI) -> None:
    stranger = Program.of(make_user())

    async def try_everything() -> list[Answer]:
        mine = await program.post(START, {"text": "Hello"})
        message, prompt = f"/api/v1/messages/{mine.body['id']}", f"/api/v1/messages/{mine.body['parent']}"
        return [
            await stranger.get(f"{message}/stream/"),
            await stranger.post(f"{START}{mine.body['conversation']}/messages/", {"text": "Mine now"}),
            await stranger.post(f"{message}/retry/"),
            await stranger.post(f"{message}/continue/"),
            await stranger.post(f"{message}/stop/"),
            await stranger.post(f"{prompt}/edit/", {"text": "Mine now"}),
            await stranger.get("/api/v1/messages/0199f6a2-5b1c-7c3e-9d44-0f3c9a1b7e02/stream/"),
        ]

    answers = at_work(try_everything)
    assert [(answer.status, answer.code) for answer in answers] == [(404, "not_found")] * 7
    assert len({str(answer.body) for answer in answers}) == 1
    assert Message.objects.count() == 2


@pytest.fixture
def signed_in(program: Program) -> Client:
    client = Client()
    client.force_login(program.owner)
    return client


def browser_of(client: Client, *, csrf: bool) -> tuple[AsyncClient, dict[str, Any]]:
    browser = AsyncClient(raise_request_exception=False, enforce_csrf_checks=True)
    browser.cookies[settings.SESSION_COOKIE_NAME] = client.cookies[settings.SESSION_COOKIE_NAME].value
    if not csrf:
        return browser, {}
    browser.cookies[settings.CSRF_COOKIE_NAME] = "c" * 32
    return browser, {"X-CSRFToken": "c" * 32}


def test_r3_a_browser_that_is_signed_in_sends_with_its_csrf_token_alone(program: Program, signed_in: Client) -> None:
    async def send(csrf: bool) -> tuple[int, str]:
        browser, headers = browser_of(signed_in, csrf=csrf)
        headers |= {"Prefer": "respond-async"}
        sent = await browser.post(START, {"text": "Hello"}, content_type="application/json", headers=headers)
        return sent.status_code, sent["Content-Type"]

    assert run(lambda: send(csrf=False)) == (403, "application/problem+json")
    assert not Message.objects.exists()
    assert run(lambda: send(csrf=True)) == (202, "application/json")


@pytest.mark.usefixtures("often")
def test_a9_the_stream_of_a_browser_ends_with_its_session(
    program: Program, signed_in: Client, openai: FakeOpenAI
) -> None:
    openai.script([HANGING])

    async def read() -> list[Event]:
        await program.post(START, {"text": "Hello"}, Prefer="respond-async")
        answer = await until(lambda: Message.objects.filter(status="streaming").exclude(chunks=None).first())
        browser, _ = browser_of(signed_in, csrf=False)
        response: Any = await browser.get(f"/api/v1/messages/{answer.pk}/stream/")
        events = []
        async for chunk in response.streaming_content:
            event = Event.parse(chunk.decode())
            if event is not None:
                events.append(event)
                await in_database(Session.objects.all().delete)
        return events

    assert [event.name for event in at_work(read)] == ["text"]
