"""Whatever is typed gets hits or a sentence that says what is wrong, and soon."""

from __future__ import annotations

import psycopg
import pytest
from django.db import connection

from accounts.models import User
from conversations.search import search_messages
from tests.factories import make_user
from tests.rendering.corpus import X1_HTML
from tests.search.said import find, say


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("", "Type a word"),
        (" \t\n ", "Type a word"),
        ("\u200b\u2060", "Type a word"),
        ("\x00\x00", "Type a word"),
        ("x" * 10_000, "at most 300"),
        ("umbrella " * 1_112, "10,008 characters"),
        ("&|!()<->:*'\"\\", "no word"),
        ("or or -or", "no word"),
        ("-", "no word"),
        ("the of and", "no word"),
        ('"the"', "no word"),
        ("-umbrella", "left out"),
        ("hat or -umbrella", "left out"),
        ('-"red umbrella"', "left out"),
    ],
    ids=[
        "nothing",
        "blanks",
        "invisible",
        "nul",
        "long",
        "many-words",
        "signs",
        "operators",
        "minus",
        "stop-words",
        "stop-phrase",
        "only-without",
        "or-without",
        "without-phrase",
    ],
)
def test_a_search_that_cannot_be_made_says_why(anna: User, query: str, words: str) -> None:
    say(anna, "umbrella hat")
    found = find(anna, query)
    assert words in found.problem
    assert (found.hits, found.has_more, found.is_capped) == ([], False, False)


@pytest.mark.parametrize(
    "query",
    [
        "umbrella\x00",
        "\x00umbrella",
        "'umbrella'",
        "umbrella'; DROP TABLE x; --",
        '"umbrella',
        "umbrella\ud800",
        "umbrella & !hat:*",
        "umbrella <-> ",
        "((umbrella",
        "umbrella \\",
        "%s umbrella %(x)s",
        "umbrella:B",
        "'' umbrella",
        "umbrella\n\t",
    ],
    ids=range(14),
)
def test_odd_signs_do_no_harm(anna: User, query: str) -> None:
    say(anna, "umbrella, DROP the TABLE x; for hat %s %(x)s b")
    found = find(anna, query)
    assert found.problem == ""
    assert len(found.hits) == 1 or "hat" in query


@pytest.mark.parametrize("text", X1_HTML, ids=range(len(X1_HTML)))
def test_hostile_text_may_be_searched_for(anna: User, text: str) -> None:
    say(anna, "umbrella")
    assert find(anna, text).hits == []


@pytest.mark.parametrize(
    "query",
    [
        "a1 " * 100,
        "w-" * 150,
        '"' + "w1 w2 " * 49 + '"',
        "or ".join(f"w{n} " for n in range(40)),
        "-w1 " * 70 + "umbrella",
    ],
    ids=["words", "hyphens", "phrase", "or", "without"],
)
def test_the_longest_queries_are_made(anna: User, query: str) -> None:
    say(anna, "umbrella " + " ".join(f"w{number % 7}" for number in range(20_000)))
    assert find(anna, query[:300]).problem == ""


def test_a_search_that_takes_too_long_is_ended_and_says_so(transactional_db: None) -> None:
    boris = make_user()
    say(boris, "umbrella")
    assert len(find(boris, "umbrella").hits) == 1
    settings = connection.settings_dict
    address = {"host": settings["HOST"], "port": settings["PORT"], "user": settings["USER"]}
    with psycopg.connect(**address, password=settings["PASSWORD"], dbname=settings["NAME"]) as other:
        other.execute("LOCK TABLE conversations_message IN ACCESS EXCLUSIVE MODE")
        found = search_messages(boris, "umbrella")
        other.rollback()
    assert (found.hits, found.problem[:26]) == ([], "This search took too long ")
    assert len(find(boris, "umbrella").hits) == 1
