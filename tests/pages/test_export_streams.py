"""Exports piece by piece: what they hold on to meanwhile, how many at once, and what is lost or hidden on the way."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import connection
from django.test import AsyncClient

from accounts.models import User
from conversations.models import Conversation
from tests.exporting.said import add_many, branched, hide, make_conversation, say
from tests.factories import make_file, make_user
from tests.fakes.folder import FilesFolder
from tests.pages.asked import read, with_client
from tests.pages.exports import TYPES, get
from tests.system.site import wait_for

pytestmark = [
    pytest.mark.django_db(transaction=True),  # an export gives its database connection back
    pytest.mark.usefixtures("folder"),
]


def many(person: User) -> Conversation:
    """A conversation that takes several pieces, and files that do."""
    conversation = make_conversation(person)
    add_many(conversation, 1000, text="A thousand words. " * 60)
    for _ in range(4):
        make_file(person, message=conversation.current_leaf, data=bytes(range(256)) * 4000)
    return conversation


@pytest.mark.parametrize("form", TYPES)
def test_no_database_connection_is_held_while_a_reader_takes_its_time(person: User, form: str) -> None:
    conversation = many(person)

    async def ask(client: AsyncClient) -> tuple[bool, int]:
        response: Any = await client.get(f"/conversations/{conversation.pk}/export/?format={form}")
        assert response.streaming
        pieces = response.streaming_content
        await anext(pieces)
        await anext(pieces)
        is_given_back = await sync_to_async(lambda: connection.connection is None)()
        busy = await sync_to_async(connections_in_use)()
        response.close()
        return is_given_back, busy

    assert with_client(person, ask) == (True, 0)


def connections_in_use() -> int:
    """How many connections to this database have been given out, this one aside."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND (state <> 'idle' OR xact_start IS NOT NULL)"
        )
        count: int = cursor.fetchone()[0]
    connection.close()
    return count


def test_a_third_export_of_one_person_waits_and_one_that_ended_or_was_left_makes_room(person: User) -> None:
    conversation = many(person)
    other = make_user()
    say(make_conversation(other), "Hello")
    address = f"/conversations/{conversation.pk}/export/?format=zip"

    async def ask(client: AsyncClient) -> list[int]:
        first, second = await client.get(address), await client.get(address)
        statuses = [first.status_code, second.status_code]
        refused: Any = await client.get(address)
        assert "2 exports of yours are on their way" in refused.content.decode()
        assert refused.headers["Retry-After"] == "30"
        statuses.append(refused.status_code)
        elsewhere = AsyncClient()
        await elsewhere.aforce_login(other)
        statuses.append(
            (await read(await elsewhere.post("/conversations/export/", {"all": "1", "format": "csv"}))).status_code
        )
        first.close()  # left
        third = await client.get(address)
        statuses.append(third.status_code)
        await read(third)  # ended
        statuses.append((await read(await client.get(address))).status_code)
        second.close()
        return statuses

    assert with_client(person, ask) == [200, 200, 429, 200, 200, 200]


def test_who_leaves_early_leaves_nothing_open(person: User, folder: FilesFolder) -> None:
    conversation = many(person)

    def opened() -> int:
        return sum(str(folder.path) in str(fd.readlink()) for fd in Path("/proc/self/fd").iterdir() if fd.is_symlink())

    async def ask(client: AsyncClient) -> None:
        response: Any = await client.get(f"/conversations/{conversation.pk}/export/?format=zip")
        pieces = response.streaming_content
        while not opened():
            await anext(pieces)
        response.close()

    with_client(person, ask)
    wait_for(lambda: not opened(), what="the closing of the files")


@pytest.mark.parametrize("form", TYPES)
def test_a_conversation_that_is_hidden_meanwhile_never_arrives_as_if_it_were_whole(person: User, form: str) -> None:
    conversation = many(person)

    async def ask(client: AsyncClient) -> bytes:
        response: Any = await client.get(f"/conversations/{conversation.pk}/export/?format={form}")
        pieces = response.streaming_content
        received: bytes = await anext(pieces)
        await sync_to_async(hide)(conversation)
        async for piece in pieces:
            received += piece
        return received

    with pytest.raises(Exception, match="not visible any more"):
        with_client(person, ask)


def test_a_file_that_storage_lost_is_told_and_the_rest_arrives(person: User, folder: FilesFolder) -> None:
    conversation = branched(person)
    lost = make_file(person, message=conversation.current_leaf, name="lost.png")
    (folder.path / lost.key).unlink()
    with zipfile.ZipFile(io.BytesIO(get(person, conversation, "zip").body)) as archive:
        assert archive.testzip() is None
        assert archive.read("file-problems.txt") == b"lost.png: It is missing in storage.\n"
        assert len([name for name in archive.namelist() if name.startswith("files/")]) == 1
