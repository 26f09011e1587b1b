"""Conversations that a search finds: the best first, each once, with what matched."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from conversations.services import conclude_conversation, hide_conversation
from tests.api.caller import Caller, counted, every_page
from tests.api.said import Said, index, more, say
from tests.factories import make_assistant, make_user

pytestmark = pytest.mark.django_db


def test_each_conversation_that_holds_the_words_is_found_once_with_its_best_message(said: Said, anna: Caller) -> None:
    more(said, "An umbrella, and another umbrella, <b>umbrella</b>!")
    say("Nothing of the kind", owner=said.owner)
    index()
    (found,) = anna.read("conversations/?q=umbrella")["results"]
    assert found["id"] == str(said.conversation.pk)
    assert found["match"]["where"] in ("message", "title")
    assert "umbrella" in found["match"]["excerpt"]
    assert anna.read(f"messages/{found['match']['message']}/")["conversation"] == found["id"]


def test_an_excerpt_is_text_and_no_markup(said: Said, anna: Caller) -> None:
    say("Mind the <b>gap</b> & the marmalade", owner=said.owner)
    index()
    (found,) = anna.read("conversations/?q=marmalade&fields=title")["results"]
    assert found["match"]["excerpt"] == "Mind the <b>gap</b> & the marmalade"
    assert set(found) == {"id", "title"} | {"match"}


def test_what_was_found_is_read_in_pages_and_narrowed(said: Said, anna: Caller) -> None:
    make_assistant(slug="lawyer")
    for _ in range(4):
        say("An umbrella", owner=said.owner)
    conclude_conversation(conversation=say("An umbrella", owner=said.owner).conversation)
    index()
    whole = every_page(anna, "conversations/?q=umbrella")
    assert len(whole) == 6
    assert every_page(anna, "conversations/?q=umbrella&limit=2") == whole
    assert len(anna.read("conversations/?q=umbrella&state=concluded")["results"]) == 1
    assert len(anna.read(f"conversations/?q=umbrella&assistant={said.conversation.assistant.slug}")["results"]) == 1
    assert anna.read("conversations/?q=umbrella&assistant=lawyer")["results"] == []
    assert anna.read("conversations/?q=umbrella&pinned=true")["results"] == []
    second = anna.read(anna.read("conversations/?q=umbrella&limit=2")["next"])
    assert anna.read(second["previous"])["results"] == whole[:2]


def test_a7_nobody_finds_what_is_not_theirs_or_hidden(said: Said, anna: Caller, boris: Caller) -> None:
    say("My umbrella", owner=make_user())
    hide_conversation(conversation=said.conversation)
    index()
    assert anna.read("conversations/?q=umbrella")["results"] == []
    assert boris.read("conversations/?q=umbrella")["results"] == []


@pytest.mark.parametrize(
    ("query", "code"),
    [("q=the", "unsearchable"), ("q=-umbrella", "unsearchable"), ("q=%20", "invalid"), (f"q={'x' * 301}", "invalid")],
    ids=["stop word", "only without", "blank", "long"],
)
def test_what_cannot_be_searched_for_is_said(anna: Caller, query: str, code: str) -> None:
    response = anna.get(f"conversations/?{query}")
    assert (response.status_code, response.json()["code"]) == (400, code)
    assert response.json()["errors"][0]["field"] == "q"


@pytest.mark.parametrize("also", ["deleted=true", "cursor=x", "cursor=YTAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAw"])
def test_what_does_not_go_with_a_search_is_said(said: Said, anna: Caller, also: str) -> None:
    assert anna.get(f"conversations/?q=umbrella&{also}").status_code == 400


def test_a_search_takes_as_many_queries_however_much_is_found(said: Said, anna: Caller) -> None:
    index()
    anna.read("conversations/?q=umbrella")
    with CaptureQueriesContext(connection) as few:
        anna.read("conversations/?q=umbrella")
    for _ in range(10):
        say("An umbrella", owner=said.owner)
    index()
    with CaptureQueriesContext(connection) as many:
        assert len(anna.read("conversations/?q=umbrella")["results"]) == 11
    assert counted(many) == counted(few)
