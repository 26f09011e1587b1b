"""What becomes of the title that a model gives."""

from dataclasses import replace

import pytest

from conversations.services import CallProgress, claim_title, finish_answer, finish_title
from tests.services.calls import FINISHED, begin, claim, title_of


@pytest.mark.parametrize(
    ("given", "title"),
    [
        ("Uses of a ledger", "Uses of a ledger"),
        ('**"Uses of a ledger."**', "Uses of a ledger"),
        ("Title: Uses of a ledger", "Uses of a ledger"),
        ('"Person: Uses of a ledger"', "Uses of a ledger"),
        ("Uses of a ledger\nand more of it", "Uses of a ledger"),
        ("Personal notes: a guide", "Personal notes: a guide"),
        ("Title:", ""),
        ("", ""),
    ],
    ids=["plain", "marked up", "labelled", "labelled and quoted", "two lines", "looks labelled", "label alone", "none"],
)
@pytest.mark.django_db
def test_a_title_is_one_line_without_what_stands_around_it(given: str, title: str) -> None:
    answer = begin()
    finish_answer(plan=claim(answer), finished=FINISHED, text="", progress=CallProgress())
    provisional = answer.conversation.title
    plan = claim_title(generation_id=title_of(answer).pk)
    assert plan is not None

    finish_title(plan=plan, finished=replace(FINISHED, text=given), text="", progress=CallProgress())

    answer.conversation.refresh_from_db()
    assert answer.conversation.title == (title or provisional)
