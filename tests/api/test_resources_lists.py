"""Lists: in pages that miss nothing, narrowed, small where that is asked for, and of one's own rows alone."""

from __future__ import annotations

import datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from conversations.models import Conversation
from conversations.services import conclude_conversation, hide_conversation, pin_conversation, rate_answer
from tests.api.caller import Caller, counted, every_page
from tests.api.said import MARK, Said, more, say
from tests.factories import make_assistant, make_file

pytestmark = pytest.mark.django_db

LISTS = ("conversations/", "messages/", "attachments/", "feedback/")


def fill(said: Said) -> None:
    """One more of everything."""
    new = say(owner=said.owner)
    make_file(said.owner, message=new.prompt)
    rate_answer(message=new.answer, user=said.owner, rating="up", reason=MARK)


@pytest.mark.parametrize("address", LISTS)
def test_a_list_is_read_in_pages_that_miss_nothing_and_go_back(said: Said, anna: Caller, address: str) -> None:
    for _ in range(5):
        fill(said)
    whole = every_page(anna, address)
    assert len(whole) >= 5
    assert every_page(anna, f"{address}?limit=2") == whole
    second = anna.read(anna.read(f"{address}?limit=2")["next"])
    assert second["results"] == whole[2:4]
    assert anna.read(second["previous"])["results"] == whole[:2]


def test_what_is_said_meanwhile_is_neither_missed_nor_told_twice(said: Said, anna: Caller) -> None:
    for _ in range(4):
        say(owner=said.owner)
    page = anna.read("messages/?limit=4")
    said_meanwhile = more(say(owner=said.owner))
    rest = every_page(anna, page["next"])
    ids = [row["id"] for row in page["results"] + rest]
    assert len(ids) == len(set(ids)) == 10
    assert str(said_meanwhile.answer.pk) not in ids


@pytest.mark.parametrize("address", LISTS)
def test_a_list_takes_as_many_queries_however_long_it_is(said: Said, anna: Caller, address: str) -> None:
    for _ in range(2):
        fill(said)
    with CaptureQueriesContext(connection) as few:
        anna.read(address)
    for _ in range(8):
        fill(said)
    with CaptureQueriesContext(connection) as many:
        assert len(anna.read(address)["results"]) >= 10
    assert counted(many) == counted(few)
    assert counted(few) <= 8


@pytest.mark.parametrize("address", [*LISTS, "conversations/?deleted=true", "usage/"])
def test_a7_a_list_shows_own_rows_alone(said: Said, boris: Caller, address: str) -> None:
    fill(said)
    hide_conversation(conversation=say(owner=said.owner).conversation)
    response = boris.get(address)
    assert response.status_code == 200
    assert response.json()["results"] == []
    assert MARK not in response.content.decode()


@pytest.mark.parametrize("name", ["conversation", "message"])
@pytest.mark.parametrize("address", ["messages/", "attachments/", "feedback/"])
def test_a1_a_foreign_id_in_a_filter_finds_nothing(said: Said, boris: Caller, address: str, name: str) -> None:
    fill(said)
    pk = said.conversation.pk if name == "conversation" else said.answer.pk
    response = boris.get(f"{address}?{name}={pk}")
    assert (
        response.status_code == 400
        if (address, name)
        in (
            ("messages/", "message"),
            ("feedback/", "message"),
        )
        else response.json()["results"] == []
    )


@pytest.mark.parametrize("address", LISTS)
def test_a1_a_cursor_of_somebody_else_is_refused_like_nonsense(said: Said, boris: Caller, address: str) -> None:
    fill(said)
    fill(said)
    theirs = Caller(said.owner).read(f"{address}?limit=1")["next"]
    answers = [boris.get(theirs), boris.get(f"{address}?cursor=nonsense")]
    assert [answer.status_code for answer in answers] == [400, 400]
    assert answers[0].content == answers[1].content


def test_conversations_are_narrowed_by_what_they_are(said: Said, anna: Caller) -> None:
    other = say(owner=said.owner, assistant=make_assistant(slug="other")).conversation
    concluded = conclude_conversation(conversation=say(owner=said.owner).conversation)
    pin_conversation(conversation=other, pinned=True)
    Conversation.objects.filter(pk=said.conversation.pk).update(
        last_activity_at=timezone.now() - datetime.timedelta(days=9)
    )
    edge = (timezone.now() - datetime.timedelta(days=5)).strftime("%Y-%m-%dT%H:%M:%SZ")
    first, second, third = str(said.conversation.pk), str(other.pk), str(concluded.pk)
    assert anna.ids("conversations/") == [third, second, first]
    assert anna.ids("conversations/?state=concluded") == [third]
    assert anna.ids("conversations/?assistant=other") == [second]
    assert anna.ids("conversations/?assistant=nobody") == []
    assert anna.ids("conversations/?pinned=true") == [second]
    assert anna.ids("conversations/?pinned=false") == [third, first]
    assert anna.ids(f"conversations/?updated_before={edge}") == [first]
    assert anna.ids(f"conversations/?updated_after={edge}&state=open") == [second]


def test_deleted_conversations_are_a_list_of_their_own(said: Said, anna: Caller) -> None:
    kept = say(owner=said.owner).conversation
    hide_conversation(conversation=said.conversation)
    assert anna.ids("conversations/") == [str(kept.pk)]
    (deleted,) = anna.read("conversations/?deleted=true")["results"]
    assert (deleted["id"], deleted["deleted_at"] is None) == (str(said.conversation.pk), False)
    Conversation.objects.filter(pk=said.conversation.pk).update(hidden_at=timezone.now() - datetime.timedelta(days=31))
    assert anna.ids("conversations/?deleted=true") == []


@pytest.mark.parametrize("address", LISTS)
def test_what_was_said_in_a_deleted_conversation_is_in_no_list(said: Said, anna: Caller, address: str) -> None:
    fill(said)
    for conversation in Conversation.objects.filter(owner=said.owner):
        hide_conversation(conversation=conversation)
    assert anna.read(address)["results"] == []


def test_messages_are_narrowed_by_what_they_are(said: Said, anna: Caller) -> None:
    other = say(owner=said.owner)
    assert set(anna.ids(f"messages/?conversation={other.conversation.pk}")) == {
        str(other.prompt.pk),
        str(other.answer.pk),
    }
    assert set(anna.ids("messages/?role=user")) == {str(said.prompt.pk), str(other.prompt.pk)}
    assert anna.ids("messages/?status=failed") == []
    assert anna.ids("messages/?created_before=2001-01-01") == []
    assert len(anna.ids("messages/?created_after=2001-01-01T00:00:00Z")) == 4


def test_files_and_ratings_are_narrowed_by_what_they_are(said: Said, anna: Caller) -> None:
    sent = make_file(said.owner, message=said.prompt)
    made = make_file(said.owner, message=said.answer, origin="model", data=None)
    unsent = make_file(said.owner)
    assert anna.ids("attachments/") == [str(unsent.pk), str(made.pk), str(sent.pk)]
    assert anna.ids("attachments/?unsent=true") == [str(unsent.pk)]
    assert anna.ids("attachments/?origin=model") == anna.ids("attachments/?state=failed") == [str(made.pk)]
    assert anna.ids(f"attachments/?message={said.prompt.pk}") == [str(sent.pk)]
    assert len(anna.ids(f"attachments/?conversation={said.conversation.pk}&unsent=false")) == 2
    rate_answer(message=said.answer, user=said.owner, rating="down")
    assert len(anna.read(f"feedback/?rating=down&conversation={said.conversation.pk}")["results"]) == 1
    assert anna.read("feedback/?rating=up")["results"] == []
    assert anna.read("feedback/?updated_before=2001-01-01T00:00:00Z")["results"] == []


def test_a_sparse_answer_has_what_was_asked_for_and_its_id(said: Said, anna: Caller) -> None:
    (row,) = anna.read("conversations/?fields=title,state")["results"]
    assert row == {"id": str(said.conversation.pk), "title": MARK, "state": "open"}
    assert all(set(row) == {"id", "status"} for row in anna.read("messages/?fields=status")["results"])
    assert set(anna.read("assistants/?fields=name")["results"][0]) == {"slug", "name"}
    assert set(anna.read("models/?fields=label")["results"][0]) == {"name", "label"}


def test_a_sparse_list_of_messages_reads_no_text(said: Said, anna: Caller) -> None:
    with CaptureQueriesContext(connection) as queries:
        anna.read("messages/?fields=role")
    (listed,) = [query["sql"] for query in queries if 'FROM "conversations_message"' in query["sql"]]
    assert '"conversations_message"."text"' not in listed
    assert not [query for query in queries if "conversations_generation" in query["sql"]]


BAD = [
    ("conversations/?state=closed", "state"),
    ("conversations/?state=", "state"),
    ("conversations/?pinned=yes", "pinned"),
    ("conversations/?updated_after=yesterday", "updated_after"),
    ("conversations/?updated_after=0001-01-01T00:00:00%2B14:00", "updated_after"),
    ("conversations/?fields=id,secret", "fields"),
    ("conversations/?fields=", "fields"),
    ("conversations/?limit=0", "limit"),
    ("conversations/?limit=201", "limit"),
    ("conversations/?limit=1e2", "limit"),
    ("conversations/?cursor=x", "cursor"),
    ("conversations/?owner=anna", "owner"),
    ("conversations/?colour=blue", "colour"),
    ("conversations/?state=open&state=open", "state"),
    ("conversations/?everyone=1", "everyone"),
    ("messages/?conversation=17", "conversation"),
    ("messages/?role=system", "role"),
    ("messages/?status=done", "status"),
    ("attachments/?state=deleted", "state"),
    ("attachments/?unsent=maybe", "unsent"),
    ("feedback/?rating=5", "rating"),
    ("usage/?from=2026-13-01", "from"),
    ("usage/?from=2026-01-02&to=2026-01-01", "from"),
    ("usage/?from=2020-01-01&to=2026-01-01", "from"),
    ("usage/?by=hour", "by"),
    ("me/?everyone=true", "everyone"),
]


@pytest.mark.parametrize(("address", "field"), BAD, ids=[address for address, _ in BAD])
def test_f5_what_an_address_asks_wrongly_is_named(anna: Caller, address: str, field: str) -> None:
    response = anna.get(address)
    assert response.status_code == 400
    assert response["Content-Type"] == "application/problem+json"
    assert response.json()["errors"][0]["field"] == field
    assert response.json()["errors"][0]["message"]
