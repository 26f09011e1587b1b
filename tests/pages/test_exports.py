"""Exports as they leave: to their owner alone, in every format; or a sentence that says why not."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async
from django.test import AsyncClient

from accounts.models import User
from audit.models import AuditEvent
from conversations.exporting import FORMATS
from conversations.models import Conversation
from tests.access.record import changed_tables, snapshot
from tests.exporting.said import branched, exported, hide, make_conversation, say, table, unpacked
from tests.factories import make_user
from tests.pages.asked import read, with_client
from tests.pages.exports import TYPES, get, post

pytestmark = [
    pytest.mark.django_db(transaction=True),  # an export gives its database connection back
    pytest.mark.usefixtures("folder"),
]
GUARDS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "private, no-store",
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
        assert "An export can be one of md, csv, jsonl, zip." in response.body.decode()
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


def test_v11_an_export_writes_nothing_but_that_it_was_made(person: User) -> None:
    conversation = branched(person)

    async def ask(client: AsyncClient) -> list[str]:
        before = await sync_to_async(snapshot)()
        for form in TYPES:
            await read(await client.get(f"/conversations/{conversation.pk}/export/?format={form}"))
            await read(await client.post("/conversations/export/", {"all": "1", "format": form}))
        return changed_tables(before, await sync_to_async(snapshot)())

    assert with_client(person, ask) == ["audit_auditevent"]
    told = list(AuditEvent.objects.filter(kind="record.exported").order_by("seq"))
    assert [event.details["format"] for event in told] == [form for form in TYPES for _ in range(2)]
    assert {(event.actor_id, event.subject_id) for event in told} == {(person.pk, person.pk)}
    assert {event.object_id for event in told} == {str(conversation.pk)}
    assert all(str(event.details).isascii() and conversation.title not in str(event.details) for event in told)


def test_every_format_is_offered_in_the_menu_as_a_link(person: User) -> None:
    conversation = branched(person)

    async def ask(client: AsyncClient) -> str:
        response: Any = await client.get(f"/conversations/{conversation.pk}/")
        return str(response.content.decode())

    page = with_client(person, ask)
    for form in FORMATS:
        assert f'href="/conversations/{conversation.pk}/export/?format={form}"' in page
