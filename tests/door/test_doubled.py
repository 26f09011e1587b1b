"""What programs send again by themselves is said once: after an outage, and with pictures in it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from openai import AsyncOpenAI, InternalServerError

from conversations.live.database import in_database
from conversations.models import Attachment, LanguageModel
from rest.models import IdempotentRequest
from tests.door.asking import ask, picture, rows
from tests.factories import make_assistant
from tests.fakes.folder import FilesFolder
from tests.fakes.process import FakeOpenAI
from tests.sending.asking import Answer, Program, at_work
from tests.sending.reading import run

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_jobs")]
CHAT = "/v1/chat/completions"
RESPONSES = "/v1/responses"
HELLO = {"model": "general", "messages": [{"role": "user", "content": "Hello"}]}


@pytest.fixture
def writer(transactional_db: None) -> Program:
    """A program of somebody who may use an assistant called general."""
    program = Program.of()
    make_assistant(slug="general", instructions="Be brief.")
    return program


@contextlib.contextmanager
def away(begins: Callable[[BaseDatabaseWrapper, str], bool]) -> Iterator[None]:
    """Let connections that are opened from now on fail like those to a database that is away, once `begins` says so."""
    is_away = False
    wrapped: list[BaseDatabaseWrapper] = []

    def execute(run_it: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        nonlocal is_away
        is_away = is_away or begins(context["connection"], sql)
        if is_away:
            raise OperationalError("the connection is lost")
        return run_it(sql, params, many, context)

    def wrap(connection: BaseDatabaseWrapper, **_: Any) -> None:
        if execute not in connection.execute_wrappers:
            connection.execute_wrappers.append(execute)
            wrapped.append(connection)

    connections.close_all()
    connection_created.connect(wrap)
    try:
        yield
    finally:
        connection_created.disconnect(wrap)
        for connection in wrapped:
            connection.execute_wrappers.remove(execute)


def after_the_commit() -> Callable[[BaseDatabaseWrapper, str], bool]:
    """Tell the first statement behind the transaction in which a prompt is written."""
    writing: list[BaseDatabaseWrapper] = []

    def begins(connection: BaseDatabaseWrapper, sql: str) -> bool:
        if "INSERT INTO conversations_generation" in sql:
            writing.append(connection)
        return bool(writing) and not writing[0].in_atomic_block  # whoever else asks the database meanwhile

    return begins


@pytest.mark.parametrize(("address", "body"), [(CHAT, HELLO), (RESPONSES, {"model": "general", "input": "Hello"})])
def test_a_database_that_goes_away_behind_the_commit_has_the_client_look_first(
    writer: Program, openai: FakeOpenAI, address: str, body: dict[str, Any]
) -> None:
    with away(after_the_commit()):
        answer = run(lambda: writer.post(address, body))
    assert (answer.status, answer.headers.get("X-Should-Retry"), answer.headers["Retry-After"]) == (503, "false", "10")
    assert answer.headers["Content-Type"] == "application/json"
    error = answer.body["error"]
    assert (error["code"], error["type"], error["param"]) == ("not_known", "server_error", None)
    assert "look before you send it again" in error["message"]
    assert rows() == (1, 2, 1)


def test_the_official_client_does_not_repeat_what_may_be_on_record(writer: Program, openai: FakeOpenAI) -> None:
    async def work(client: AsyncOpenAI) -> str:
        with pytest.raises(InternalServerError) as refused:
            await client.chat.completions.create(
                model="general", messages=[{"role": "user", "content": "Hello"}], extra_headers={"Prefer": "wait=1"}
            )
        return str(refused.value.code)

    with away(after_the_commit()):
        assert ask(writer, work, max_retries=2) == "not_known"
    assert rows() == (1, 2, 1)


def test_a_database_that_is_away_from_the_beginning_may_be_asked_again(writer: Program, openai: FakeOpenAI) -> None:
    with away(lambda connection, sql: True):
        answer = run(lambda: writer.post(CHAT, HELLO))
    assert (answer.status, answer.body["error"]["code"], answer.headers["Retry-After"]) == (503, "unavailable", "10")
    assert "X-Should-Retry" not in answer.headers
    assert rows() == (0, 0, 0)


def test_i4_the_same_key_again_with_a_picture_is_the_same_answer(
    writer: Program, openai: FakeOpenAI, folder: FilesFolder
) -> None:
    LanguageModel.objects.update(accepts_images=True)
    openai.script([{"text": "First"}, {"text": "Second"}])
    seen: Any = [{"type": "text", "text": "What is this?"}, {"type": "image_url", "image_url": {"url": picture()}}]
    one = {"role": "user", "content": "One\r\nmore"}

    async def talk() -> list[Answer]:
        begun = await writer.post(CHAT, {"model": "general", "messages": [one]})
        messages = [one, begun.body["choices"][0]["message"], {"role": "user", "content": seen}]
        body = {"model": "general", "messages": messages, "conversation": begun.body["conversation"]}
        first = await writer.post(CHAT, body, Idempotency_Key="one")
        await in_database(IdempotentRequest.objects.update, state="open")  # as after a crash, or a stream
        return [first, *[await writer.post(CHAT, body, Idempotency_Key=key) for key in ("one", "another")]]

    first, second, third = at_work(talk)
    assert (first.status, second.status) == (200, 200), first
    assert first.body == second.body
    assert (third.status, third.body["error"]["code"]) == (409, "history")
    assert rows() == (1, 4, 2)
    assert Attachment.objects.exclude(state="deleted").count() == 1
