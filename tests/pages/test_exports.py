"""Exports as they leave: to their owner alone, in every format, piece by piece; or a sentence that says why not."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.db import connection
from django.test import AsyncClient
from pytest_django import Settings

from accounts.models import User
from conversations.exporting import FORMATS
from conversations.models import Conversation
from tests.access.record import changed_tables, snapshot
from tests.exporting.said import add_many, branched, exported, hide, make_conversation, say, table, unpacked
from tests.factories import make_file, make_user
from tests.system.site import wait_for

pytestmark = pytest.mark.django_db(transaction=True)  # an export gives its database connection back

GUARDS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "private, no-store",
}


@pytest.fixture(autouse=True)
def folder(settings: Settings, tmp_path: Path) -> Path:
    backend = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": tmp_path / "files"}}
    settings.STORAGES = settings.STORAGES | {"default": backend}
    return tmp_path / "files"


@pytest.fixture
def person(transactional_db: None) -> User:
    return make_user(first_name="Olive", last_name="Owner")


def with_client[Value](person: User | None, use: Callable[[AsyncClient], Awaitable[Value]]) -> Value:
    client = AsyncClient(raise_request_exception=False)
    if person is not None:
        client.force_login(person)
    return async_to_sync(use)(client)


async def read(response: Any) -> Any:
    """Read all of a response into `body`."""
    response.body = response.content if not response.streaming else b""
    if response.streaming:
        response.body = b"".join([piece async for piece in response.streaming_content])
    response.close()
    return response


def get(
    person: User | None, conversation: Conversation, form: str = "csv", *, verb: str = "get", **headers: str
) -> Any:
    async def ask(client: AsyncClient) -> Any:
        address = f"/conversations/{conversation.pk}/export/?format={form}"
        return await read(await getattr(client, verb)(address, headers=headers))

    return with_client(person, ask)


def post(person: User | None, **form: Any) -> Any:
    async def ask(client: AsyncClient) -> Any:
        return await read(await client.post("/conversations/export/", form))

    return with_client(person, ask)


TYPES = {
    "csv": "text/csv; charset=utf-8; header=present",
    "jsonl": "application/x-ndjson; charset=utf-8",
    "md": "text/markdown; charset=utf-8",
    "zip": "application/zip",
}


@pytest.mark.parametrize("form", TYPES)
def test_the_owner_gets_one_conversation_in_each_format(person: User, form: str) -> None:
    conversation = branched(person)
    response = get(person, conversation, form)
    assert response.status_code == 200
    assert {name: response.headers[name] for name in GUARDS} == GUARDS
    assert response.headers["Content-Type"] == TYPES[form]
    assert response.headers["Content-Disposition"] == f'attachment; filename="Two ways to say it.{form}"'
    if form in ("csv", "jsonl"):
        assert response.body == exported(person, form, conversation)
    elif form == "md":
        assert response.body.startswith(b"# Two ways to say it\n")
    else:
        entries, manifest = unpacked(response.body)
        assert manifest["is_complete"]
        assert entries["messages.csv"] == exported(person, "csv", conversation)


def test_head_tells_the_same_without_a_byte(person: User) -> None:
    conversation = branched(person)
    told, whole = get(person, conversation, verb="head"), get(person, conversation)
    assert (told.status_code, told.body) == (200, b"")
    assert {name: told.headers[name] for name in whole.headers} == dict(whole.headers)


def test_a2_others_and_nobody_get_nothing(person: User) -> None:
    conversation = branched(person)
    stranger = make_user(is_staff=True, is_superuser=True)
    for form in (*TYPES, "none"):
        foreign, missing = get(stranger, conversation, form), get(stranger, Conversation(pk=uuid4()), form)
        assert (foreign.status_code, foreign.body) == (404, missing.body)
        chosen = post(stranger, conversation=[str(conversation.pk)], format=form)
        assert (chosen.status_code, chosen.body) == (404, missing.body)
    anonymous = get(None, conversation)
    assert anonymous.status_code == 302
    assert anonymous.headers["Location"].startswith("/accounts/login/?next=/conversations/")
    anonymous = post(None, all="1", format="csv")
    assert anonymous.headers["Location"] == "/accounts/login/?next=/conversations/"


def test_a7_a_hidden_conversation_is_not_exported(person: User) -> None:
    conversation = branched(person)
    hide(conversation)
    assert get(person, conversation).status_code == 404
    assert post(person, conversation=[str(conversation.pk)], format="csv").status_code == 404
    assert table(post(person, all="1", format="csv").body) == []


def test_a_selection_holds_what_was_chosen_each_once(person: User) -> None:
    first, second, third = (make_conversation(person, title) for title in ("First", "Second", "Third"))
    for conversation in (first, second, third):
        say(conversation, "Hello")
    response = post(person, conversation=[str(third.pk), str(first.pk), str(third.pk).upper()], format="csv")
    assert [row["conversation_title"] for row in table(response.body)] == ["First", "Third"]
    assert response.headers["Content-Disposition"].startswith('attachment; filename="Verbatim, 2 conversations, 20')
    one = post(person, conversation=[str(second.pk)], format="md")
    assert one.headers["Content-Disposition"] == 'attachment; filename="Second.md"'


@pytest.mark.parametrize("form", TYPES)
def test_all_is_all_of_ones_own_and_nobody_elses(person: User, form: str) -> None:
    say(make_conversation(person, "Mine"), "My words")
    say(make_conversation(make_user(), "Theirs"), "Their words")
    hidden = make_conversation(person, "Hidden")
    say(hidden, "Hidden words")
    hide(hidden)
    body = post(person, all="1", format=form, conversation=[str(hidden.pk)]).body
    if form == "zip":
        body = b"".join(unpacked(body)[0].values())
    assert b"My words" in body
    assert b"Their words" not in body
    assert b"Hidden words" not in body


@pytest.mark.parametrize("form", ["", "xml", "CSV", "csv ", "../csv", "x" * 5000, "\ufffd"])
def test_an_unknown_format_is_refused_with_the_choices(person: User, form: str) -> None:
    conversation = branched(person)
    for response in (get(person, conversation, form), post(person, all="1", format=form)):
        assert response.status_code == 400
        assert "An export can be one of csv, jsonl, md, zip." in response.body.decode()
        assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert form not in response.body.decode() or len(form) < 5


def test_nothing_chosen_is_refused_in_a_sentence(person: User) -> None:
    for fields in ({}, {"all": ""}, {"all": "0"}, {"all": "true"}):
        response = post(person, format="csv", **fields)
        assert response.status_code == 422
        assert "Choose at least one conversation" in response.body.decode()


@pytest.mark.parametrize("wrong", ["", "nonsense", "1", "1 OR 1=1", "00000000-0000-0000-0000-00000000000g", "-" * 9000])
def test_ids_that_are_none_are_like_ids_that_never_were(person: User, wrong: str) -> None:
    mine = branched(person)
    response = post(person, conversation=[str(mine.pk), wrong], format="csv")
    assert response.status_code == 404
    assert "What is on record" not in response.body.decode()


def test_a1_one_foreign_id_among_ones_own_exports_nothing(person: User) -> None:
    mine, theirs = branched(person), branched(make_user())
    response = post(person, conversation=[str(mine.pk), str(theirs.pk)], format="jsonl")
    assert response.status_code == 404
    assert str(theirs.pk) not in response.body.decode()


def test_more_than_can_go_at_a_time_is_said(person: User) -> None:
    response = post(person, conversation=[str(uuid4()) for _ in range(501)], format="csv")
    assert response.status_code == 422
    assert "You chose 501 conversations; 500 can go at a time. Export all instead." in response.body.decode()
    assert post(person, conversation=[str(uuid4()) for _ in range(10_000)], format="csv").status_code == 400


HOSTILE_TITLES = {
    "header": "x\r\nSet-Cookie: a=b",
    "quotes": 'a"b;c\\d',
    "path": "../../etc/passwd",
    "slashes": "Q1/Q2 results",
    "dots": "..",
    "reversed": "\u202egnp.exe",
    "letters": "Jahresübersicht €",
    "emoji": "😀",
    "markup": "<script>alert(1)</script>",
    "percent": "100%41",
    "long": "x" * 200,
    "device": "CON",
    "blank": "\u200b",
}


@pytest.mark.parametrize("name", HOSTILE_TITLES)
def test_f9_a_title_makes_no_header_of_its_own_and_no_path(person: User, name: str) -> None:
    conversation = make_conversation(person, title=HOSTILE_TITLES[name])
    say(conversation, "Hello")
    response = get(person, conversation)
    disposition = response.headers["Content-Disposition"]
    assert response.status_code == 200
    assert disposition.startswith("attachment; filename=")
    assert disposition.isascii()
    assert not set(disposition.split("; filename*=")[0]) & set("\r\n/\\<>")
    assert ".csv" in disposition
    assert not response.cookies
    assert len(disposition) < 500


def test_slashes_of_a_title_are_kept_apart(person: User) -> None:
    conversation = make_conversation(person, title="Q1/Q2 results")
    say(conversation, "Hello")
    assert get(person, conversation).headers["Content-Disposition"] == 'attachment; filename="Q1_Q2 results.csv"'


def test_an_export_writes_nothing(person: User) -> None:
    conversation = branched(person)

    async def ask(client: AsyncClient) -> list[str]:
        before = await sync_to_async(snapshot)()
        for form in TYPES:
            await read(await client.get(f"/conversations/{conversation.pk}/export/?format={form}"))
            await read(await client.post("/conversations/export/", {"all": "1", "format": form}))
        return changed_tables(before, await sync_to_async(snapshot)())

    assert with_client(person, ask) == []


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


def test_who_leaves_early_leaves_nothing_open(person: User, folder: Path) -> None:
    conversation = many(person)

    def opened() -> int:
        return sum(str(folder) in str(fd.readlink()) for fd in Path("/proc/self/fd").iterdir() if fd.is_symlink())

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


def test_a_file_that_storage_lost_is_told_and_the_rest_arrives(person: User, folder: Path) -> None:
    conversation = branched(person)
    lost = make_file(person, message=conversation.current_leaf, name="lost.png")
    (folder / lost.key).unlink()
    with zipfile.ZipFile(io.BytesIO(get(person, conversation, "zip").body)) as archive:
        assert archive.testzip() is None
        assert archive.read("file-problems.txt") == b"lost.png: It is missing in storage.\n"
        assert len([name for name in archive.namelist() if name.startswith("files/")]) == 1


def test_every_format_is_offered_in_the_menu_as_a_link(person: User) -> None:
    conversation = branched(person)

    async def ask(client: AsyncClient) -> str:
        response: Any = await client.get(f"/conversations/{conversation.pk}/")
        return str(response.content.decode())

    page = with_client(person, ask)
    for form in FORMATS:
        assert f'href="/conversations/{conversation.pk}/export/?format={form}"' in page
