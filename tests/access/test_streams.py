"""Live answers reach their owner, from the first byte on nobody else."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.test import AsyncClient
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from conversations.models import Conversation, Message, MessageChunk
from tests.access.answers import compare
from tests.access.record import AUDIT, changed_tables, snapshot
from tests.access.table import ROLES, STREAMS, VERBS
from tests.access.world import SECRET, World, make_world

pytestmark = pytest.mark.django_db(transaction=True)  # a stream gives its database connection back


@pytest.fixture
def streaming(transactional_db: None) -> Iterator[World]:
    """A world in which an answer is being written."""
    world = make_world()
    answer = world.belongings.running
    Message.objects.filter(pk=answer.pk).update(status=Message.Status.STREAMING, attempt=1)
    MessageChunk.objects.create(message=answer, start=0, text="An umbrella of *many* colours")
    yield world
    ProcrastinateJob.objects.all().delete()  # a table that no test case empties


def address(message: Message) -> str:
    return f"/messages/{message.pk}/stream/"


async def _first_event(world: World, message: Message) -> tuple[int, str]:
    client = AsyncClient(raise_request_exception=False)
    client.cookies["session"] = world.client("owner").cookies["session"].value
    response: Any = await client.get(address(message))
    if not response.streaming:
        return response.status_code, response.content.decode()
    events = response.streaming_content
    async with asyncio.timeout(10):
        first = await anext(events)
    await events.aclose()
    response.close()
    return response.status_code, first.decode()


def test_a2_the_owner_reads_along(streaming: World) -> None:
    before = snapshot()
    status, event = async_to_sync(_first_event)(streaming, streaming.belongings.running)
    assert status == 200
    assert "An umbrella of <em>many</em> colours" in event
    assert changed_tables(before, snapshot()) == []


def test_a2_the_stream_of_an_ended_answer_is_its_end(streaming: World) -> None:
    status, event = async_to_sync(_first_event)(streaming, streaming.belongings.ended)
    assert status == 200
    assert "event: done" in event
    assert f"message-{streaming.belongings.ended.pk}" in event


def test_a2_others_get_no_byte_of_it(streaming: World) -> None:
    before = snapshot()
    running = streaming.belongings.running
    for role in ("stranger", "staff", "reviewer", "administrator"):
        missing = streaming.ask(role, "GET", streaming.missing_address("messages/<uuid:message_id>/stream/"))
        for headers in ({}, {"Last-Event-ID": "0"}, {"HX-Request": "true"}, {"Accept": "text/event-stream"}):
            response = streaming.ask(role, "GET", address(running) + "?after=0", headers=headers)
            assert (response.status_code, response.content) == (404, missing.content), role
    assert changed_tables(before, snapshot()) == []


def test_a9_a_hidden_conversation_streams_to_nobody(streaming: World) -> None:
    Conversation.objects.update(hidden_at=timezone.now())
    assert streaming.ask("owner", "GET", address(streaming.belongings.running)).status_code == 404


def test_a9_who_is_signed_out_is_told_so_and_given_nothing(streaming: World) -> None:
    response = streaming.ask("anonymous", "GET", address(streaming.belongings.running))
    assert (response.status_code, response["HX-Redirect"], response.content) == (401, "/accounts/login/", b"")
    assert SECRET not in str(response.headers)


def test_a1_a2_streams_open_for_their_owner_alone() -> None:
    world = make_world()
    before = snapshot()
    wrong = [
        line for route in STREAMS for verb in VERBS for role in ROLES for line in compare(world, route, verb, role)
    ]
    changed = changed_tables(before, snapshot())
    ProcrastinateJob.objects.all().delete()
    assert wrong == []
    assert changed in ([], [AUDIT])
