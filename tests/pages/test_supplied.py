"""What a program told of earlier turns is marked as such wherever it is read: page, exports, sealed document."""

from __future__ import annotations

import csv
import io
import json

import pytest
from django.test import Client

from conversations.api.serializers import MESSAGE_ROWS, show_messages
from conversations.exporting import choose
from conversations.exporting.csv import csv_pieces
from conversations.exporting.jsonl import jsonl_pieces
from conversations.exporting.markdown import markdown_pieces
from conversations.models import Message
from conversations.services import Said, canonical, start_from_history
from conversations.services.client_options import ClientOptions
from tests.factories import make_assistant, make_model, make_user, token
from tests.pages.record import end

pytestmark = pytest.mark.django_db
OPTIONS = ClientOptions("Answer in French.", {"temperature": 0.5}).stored()
HOSTILE = "<script>alert(1)</script> **bold**"


@pytest.fixture
def answer() -> Message:
    make_model()
    answer = start_from_history(
        owner=make_user(),
        assistant=make_assistant(),
        history=[Said("user", "One"), Said("assistant", HOSTILE), Said("user", "Two")],
        client_token=token(),
        options=OPTIONS,
    )
    end(answer, text="Second")
    return answer


def test_the_page_says_of_each_supplied_message_that_it_is(client: Client, answer: Message) -> None:
    client.force_login(answer.owner)
    page = client.get(f"/conversations/{answer.conversation_id}/").content.decode()
    assert page.count("Supplied by a client") == 2
    assert page.count("no model was called for it here") == 1
    assert "<script>alert" not in page


def test_the_api_says_so_where_it_is_so(answer: Message) -> None:
    rows = answer.conversation.messages.select_related(*MESSAGE_ROWS).order_by("id")
    assert [shown.get("supplied") for shown in show_messages(list(rows))] == [True, True, None, None]


def test_the_tables_and_transcripts_say_so_too(answer: Message) -> None:
    chosen = choose(person=answer.owner)
    rows = list(csv.DictReader(io.StringIO(b"".join(csv_pieces(chosen)).decode("utf-8-sig"))))
    assert [row["supplied"] for row in rows] == ["true", "true", "false", "false"]
    lines = [json.loads(line) for line in b"".join(jsonl_pieces(chosen)).splitlines()]
    assert [line["is_supplied"] for line in lines] == [True, True, False, False]
    assert [line["options"] for line in lines] == [None, None, OPTIONS, None]
    assert b"".join(markdown_pieces(chosen)).decode().count("Supplied by a client") == 2


def test_the_sealed_document_names_it_only_where_it_is_so(answer: Message) -> None:
    document = json.loads(b"".join(canonical.document(answer.conversation_id)))
    told = [(message.get("is_supplied"), message.get("options")) for message in document["messages"]]
    assert told == [(True, None), (True, None), (None, OPTIONS), (None, None)]
    assert ["is_supplied" in message for message in document["messages"]] == [True, True, False, False]
