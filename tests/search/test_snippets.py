"""A hit shows a piece of what was found, its words marked, and nothing in it is obeyed."""

from __future__ import annotations

import html
import re

import pytest

from accounts.models import User
from conversations.search import Hit, snippets
from tests.rendering import corpus
from tests.rendering.dom import Dom
from tests.search.said import attach, find, say

FILLER = "and so on it went for a while. "
HOSTILE = (*corpus.X1_HTML, *corpus.X2_ADDRESSES, *corpus.X3_IMAGES, *corpus.X4_HTMX, *corpus.X7_CODE)


def hit(owner: User, query: str) -> Hit:
    (only,) = find(owner, query).hits
    return only


def plain(snippet: str) -> str:
    return html.unescape(re.sub(r"</?mark>", "", snippet))


def marked(snippet: str) -> list[str]:
    return [html.unescape(word) for word in re.findall(r"<mark>(.*?)</mark>", snippet)]


def test_the_words_that_matched_are_marked_as_they_were_written(anna: User) -> None:
    say(anna, "Umbrellas & other <i>COUNTED</i> things: umbrella.txt")
    snippet = hit(anna, "umbrella count").snippet
    assert snippet == (
        "<mark>Umbrellas</mark> &amp; other &lt;i&gt;<mark>COUNTED</mark>&lt;/i&gt; things: <mark>umbrella</mark>.txt"
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [("", ""), (FILLER * 100, ""), ("", FILLER * 100), (FILLER * 1000, FILLER * 1000), ("x" * 5000 + " ", "x" * 5000)],
    ids=["alone", "at-the-end", "at-the-start", "in-the-middle", "without-blanks"],
)
def test_a_long_text_is_shown_where_the_words_are(anna: User, before: str, after: str) -> None:
    say(anna, f"{before}a red umbrella {after}")
    snippet = hit(anna, "umbrella red").snippet
    assert marked(snippet) == ["red", "umbrella"]
    assert len(plain(snippet)) <= snippets.SHOWN + 4
    assert snippet.startswith("… ") == bool(before)
    assert snippet.endswith(" …") == bool(after)


def test_it_is_shown_where_most_of_the_words_are(anna: User) -> None:
    say(anna, "umbrella " + FILLER * 300 + "umbrella " + FILLER * 300 + "a red umbrella with dots " + FILLER * 300)
    assert marked(hit(anna, "umbrella red dots").snippet) == ["red", "umbrella", "dots"]


def test_words_are_cut_nowhere_and_lines_become_one(anna: User) -> None:
    say(anna, "first\n\n\tsecond   umbrella " + "wonderful " * 60)
    snippet = hit(anna, "umbrella").snippet
    assert snippet.startswith("first second <mark>umbrella</mark> wonderful")
    assert snippet.endswith(" wonderful …")


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_is_shown_as_text(anna: User, text: str) -> None:
    clean = text.replace("\x00", "\ufffd")
    message = say(anna, f"umbrella {clean} umbrella", title=f"hat {clean}"[:200])[0]
    attach(message, f"scarf {clean} scarf", name=f"glove {clean}"[:200])
    for word in ("umbrella", "hat", "scarf", "glove"):
        found = hit(anna, word)
        assert word in [word.casefold() for word in marked(found.snippet)]
        assert {element.tag for element in Dom(found.snippet).elements} == {"mark"}
        assert re.sub(r"</?mark>", "", found.snippet).count("<") == 0


def test_signs_that_mark_inside_cannot_be_forged(anna: User) -> None:
    say(anna, "\ufdd0hat\ufdd1 umbrella \ufdd1\ufdd0 <mark>scarf</mark> \ufdd0")
    snippet = hit(anna, "umbrella").snippet
    assert marked(snippet) == ["umbrella"]
    assert "&lt;mark&gt;scarf" in snippet


def test_controls_that_turn_text_round_are_shown(anna: User) -> None:
    say(anna, "umbrella \u202etxt.exe\x1b[2J")
    snippet = hit(anna, "umbrella").snippet
    assert "\u202e" not in snippet
    assert "\x1b" not in snippet
    assert "[U+202E]" in snippet


def test_of_many_files_the_one_with_the_words_is_named(anna: User) -> None:
    message = say(anna, "umbrella")[0]
    for number in range(4):
        attach(message, f"number {number} " + ("scarf of red wool" if number == 2 else "hat"), name=f"{number}.txt")
    found = hit(anna, "scarf wool")
    assert (found.source, found.file_name) == ("file", "2.txt")
    assert marked(found.snippet) == ["scarf", "wool"]


def test_words_spread_over_title_message_and_file_are_found_and_one_place_shown(anna: User) -> None:
    message = say(anna, "an umbrella", title="Rain")[0]
    attach(message, "scarf and hat")
    found = hit(anna, "rain umbrella scarf hat")
    assert (found.source, marked(found.snippet)) == ("file", ["scarf", "hat"])


def test_a_text_of_the_greatest_length_is_found_to_its_end(anna: User) -> None:
    say(anna, FILLER * 6_400 + "umbrella " + FILLER * 2_000)
    assert marked(hit(anna, "umbrella").snippet) == ["umbrella"]


def test_what_stands_beyond_what_is_indexed_is_not_found(anna: User) -> None:
    say(anna, FILLER * 6_500 + "umbrella")
    assert find(anna, "umbrella").hits == []
