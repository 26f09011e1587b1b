"""Requests that schemathesis makes up, as two people: no fault of ours, answers as documented, no foreign words."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import requests
import schemathesis
from django.db import connections
from django.test import AsyncClient
from hypothesis import HealthCheck, Phase, Verbosity, given
from hypothesis import settings as bounds
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode, Response
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from accounts.models import User
from accounts.tokens import make_token
from conversations.models import Message
from conversations.services import stop_answer
from rest.schema.document import document
from rest.threads import in_thread
from tests.access.world import Belongings, make_world

EXAMPLES = 6  # of each operation, for each of the two
CHECKS: list[Any] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
]
MARKS = ("the colour of ANNA's umbrella", "the colour of BERT's umbrella")


class Person:
    """Sends what is made up, with a token and the mark of what they wrote."""

    def __init__(self, user: User, mark: str, foreign: str) -> None:
        secret = make_token(owner=user, name="Made up", scopes=["read", "write", "events"])[1]
        self.headers = {"Authorization": f"Bearer {secret}", "Prefer": "respond-async"}
        self.mark, self.foreign = mark.encode(), foreign.encode()
        self.saw_own = False

    async def send(self, case: Case[Any]) -> Response:
        """Send a case to the same views as the ASGI server does, and read all of the answer."""
        made = case.as_transport_kwargs(base_url="http://testserver")
        prepared = requests.Request(**{name: made.get(name) for name in _SENT}).prepare()
        body = prepared.body.encode() if isinstance(prepared.body, str) else prepared.body or b""
        headers = {name: _text(value) for name, value in prepared.headers.items()}
        kind = headers.pop("Content-Type", "")
        for name in ("Content-Length", "If-Match"):  # a tag that is made up would hide whatever else is wrong
            headers.pop(name, None)
        async with _stand_in():
            answer = await AsyncClient(raise_request_exception=False).generic(
                str(prepared.method), str(prepared.path_url), body, kind, headers=headers | self.headers
            )
            content = await _read(answer)
        return Response(
            status_code=answer.status_code,
            headers={name.lower(): [value] for name, value in answer.headers.items()},
            content=content,
            request=prepared,
            elapsed=0.0,
            verify=False,
            encoding="utf-8",
        )


_SENT = ("method", "url", "headers", "params", "data", "json", "files", "cookies")


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


async def _read(answer: Any) -> bytes:
    if not answer.streaming:
        return bytes(answer.content)
    async with contextlib.aclosing(answer.streaming_content) as pieces:
        return b"".join([piece async for piece in pieces])


@contextlib.asynccontextmanager
async def _stand_in() -> AsyncIterator[None]:
    """Meanwhile end whatever answers there are, as nobody writes them here."""
    task = asyncio.create_task(_end_answers())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _end_answers() -> None:
    while True:
        await asyncio.sleep(0.05)
        await in_thread(_stop_all)


def _stop_all() -> None:
    for message in Message.objects.filter(status__in=["queued", "streaming"]):
        stop_answer(message=message)


@pytest.fixture
def loop() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner
        runner.run(in_thread(connections.close_all))


@pytest.mark.slow
@pytest.mark.timeout(200)
@pytest.mark.django_db(transaction=True)
def test_f8_what_is_made_up_meets_no_fault_and_nobody_else_s_words(
    loop: asyncio.Runner, caplog: pytest.LogCaptureFixture, settings: Any
) -> None:
    caplog.set_level(logging.CRITICAL, "django.request")
    settings.API_REQUESTS_PER_MINUTE = settings.API_ANSWERS_PER_MINUTE = 1_000_000
    world = make_world()
    users = [world.people["owner"], world.people["stranger"]]
    things = [Belongings.of(user, world.assistant, mark) for user, mark in zip(users, MARKS, strict=True)]
    people = [Person(user, mark, MARKS[mark == MARKS[0]]) for user, mark in zip(users, MARKS, strict=True)]
    pool = {
        "slug": [world.assistant.slug, "nobody"],
        "name": ["gpt-4o", "gpt-9"],
        "id": [i for t in things for i in _ids(t)],
    }
    _stop_all()
    failures: list[str] = []
    found: Any = schemathesis.openapi.from_dict(document()).get_all_operations()
    for operation in [whole.ok() for whole in found]:
        for person in people:
            _try(operation, person, pool, loop, failures)
    assert failures == [], "\n\n".join(failures)
    assert all(person.saw_own for person in people)


def _ids(things: Belongings) -> list[str]:
    rows = (
        things.conversation, things.sealed, things.deleted, things.ended, things.running, things.prompt,
        things.picture, things.unsent, things.lost,
    )  # fmt: skip
    return [str(row.pk) for row in rows]


def _try(operation: Any, person: Person, pool: dict[str, list[str]], loop: asyncio.Runner, failures: list[str]) -> None:
    modes = [GenerationMode.POSITIVE] + [GenerationMode.NEGATIVE] * bool(operation.body or operation.query)
    names = [parameter.name for parameter in operation.path_parameters]

    @bounds(
        max_examples=EXAMPLES, derandomize=True, database=None, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck), verbosity=Verbosity.quiet,
    )  # fmt: skip
    @given(st.data())
    def walk(data: st.DataObject) -> None:
        path = {name: data.draw(st.sampled_from(pool[name])) for name in names}
        mode = data.draw(st.sampled_from(modes))
        case = data.draw(operation.as_strategy(generation_mode=mode, path_parameters=path or None))
        if str(case.query.get("wait")).isdigit():  # for events to come, up to 25 s
            del case.query["wait"]
        response = loop.run(person.send(case))
        person.saw_own |= person.mark in response.content
        if person.foreign in response.content:
            failures.append(f"{operation.label} shows what somebody else wrote: {response.content[:300]!r}")
        try:
            case.validate_response(response, checks=CHECKS)
        except FailureGroup as group:
            said = "\n".join(str(failure) for failure in group.exceptions)
            failures.append(
                f"{operation.label} {response.request.url} {case.body!r}: {said}\n{response.content[:400]!r}"
            )

    walk()
