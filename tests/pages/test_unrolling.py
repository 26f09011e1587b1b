"""The rail unrolled: it goes on to the very beginning, and each conversation stands in it once."""

from __future__ import annotations

import datetime
import re
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from conversations.history import read_rail
from conversations.history.cursors import Cursor
from conversations.models import Assistant, Conversation
from tests.factories import make_user
from tests.pages.rail import HOUR, LIST, MARKUP, RAIL, add, numbers, shown, titles
from tests.pages.record import HTMX, text_of


def walk(page: Client, html: str) -> list[str]:
    """Unroll the rail as htmx does; return the titles of each piece."""
    pieces = []
    while found := re.search(r'hx-get="(.+?)"', html[html.index("rail-") :]):
        html = page.get(found[1].replace("&amp;", "&"), headers=HTMX).content.decode()
        pieces.append(titles(html))
        if "That is where it began" in html:
            break
    return [title for piece in pieces for title in piece]


def test_the_rail_unrolls_to_the_very_beginning_each_line_once(page: Client, owner: User, assistant: Assistant) -> None:
    add(owner, assistant, 135)
    first = page.get(LIST)
    assert shown(first) == numbers(50)
    assert walk(page, first.content.decode()) == numbers(50, 135)


def test_rows_of_the_same_moment_are_neither_lost_nor_doubled(page: Client, owner: User, assistant: Assistant) -> None:
    add(owner, assistant, 120, last_activity_at=timezone.now())
    first = page.get(LIST)
    met = shown(first) + walk(page, first.content.decode())
    assert sorted(met) == sorted(numbers(120))


def test_what_goes_on_in_a_day_is_added_to_that_day(page: Client, owner: User, assistant: Assistant) -> None:
    rows = add(owner, assistant, 60, last_activity_at=timezone.now())
    rail = read_rail(owner)
    today = f"{timezone.localdate()}"
    html = page.get(RAIL, {"before": rail.older, "day": today}).content.decode()
    assert f'<hx-partial hx-target="#rail-day-{today}" hx-swap="beforeend">' in html
    assert "<h2>" not in html
    assert len(titles(html)) == len(rows) - 50
    for other in ("", "2001-01", MARKUP):
        html = page.get(RAIL, {"before": rail.older, "day": other}).content.decode()
        assert "<h2>Today</h2>" in html
        assert "<hx-partial" not in html


def test_what_is_said_meanwhile_shifts_nothing(page: Client, owner: User, assistant: Assistant) -> None:
    rows = add(owner, assistant, 70)
    first = page.get(LIST).content.decode()
    Conversation.objects.filter(pk=rows[49].pk).update(last_activity_at=timezone.now() + HOUR)
    add(owner, assistant, 5, title="New", hours=-2)
    assert walk(page, first) == numbers(50, 70)


def test_c10_older_conversations_are_a_page_away_without_scripts(
    page: Client, owner: User, assistant: Assistant
) -> None:
    add(owner, assistant, 60)
    first = page.get(LIST)
    address = re.search(r'<a href="(/conversations/\?before=.+?)"', first.content.decode())
    assert address
    second = page.get(address[1])
    assert shown(second) == numbers(50, 60)
    assert "Back to the newest" in text_of(second)
    assert "data-news" not in second.content.decode()


@pytest.mark.parametrize(
    ("count", "lines"), [("", 50), ("50", 50), ("70", 70), ("3", 50), ("-1", 50), ("9" * 30, 50), ("²", 50), ("x", 50)]
)
def test_the_rail_is_drawn_anew_as_far_as_it_was_unrolled(
    page: Client, owner: User, assistant: Assistant, count: str, lines: int
) -> None:
    add(owner, assistant, 90)
    assert len(shown(page.get(RAIL, {"count": count}))) == lines


def test_the_rail_is_drawn_anew_up_to_500_lines(page: Client, owner: User, assistant: Assistant) -> None:
    add(owner, assistant, 510)
    assert len(shown(page.get(RAIL, {"count": "99999"}))) == 500


def cursors(owner: User, other: User, row: Conversation) -> dict[str, str]:
    good = Cursor(row.last_activity_at, row.pk).write(owner, "rail")
    return {
        "nonsense": "nonsense",
        "an id": str(row.pk),
        "cut": good[:-1],
        "one letter changed": good.replace(good[3], "0" if good[3] != "0" else "1", 1),
        "another time": "0" + good[1:] if good[0] != "0" else "1" + good[1:],
        "of another list": Cursor(row.last_activity_at, row.pk).write(owner, "hidden_at"),
        "of another person": Cursor(row.last_activity_at, row.pk).write(other, "rail"),
        "very long": "a" * 3_000,
        "not ASCII": "½☃\u202e",
        "SQL": "' OR 1=1 --",
        "a null": "\x00",
    }


@pytest.mark.parametrize("address", [LIST, RAIL], ids=["page", "fragment"])
def test_a_cursor_that_was_tampered_with_is_refused(
    page: Client, conversation: Conversation, owner: User, address: str
) -> None:
    for kind, cursor in cursors(owner, make_user(), conversation).items():
        response = page.get(address, {"before": cursor})
        assert response.status_code == 400, kind
        assert "could not be read" in text_of(response), kind
        assert conversation.title not in text_of(response), kind


def test_a_cursor_at_the_end_of_time_is_no_fault(page: Client, owner: User, conversation: Conversation) -> None:
    for year in (1970, 2026, 9999):
        at = datetime.datetime(year, 12, 31, 23, 59, 59, 999999, tzinfo=datetime.UTC)
        assert page.get(RAIL, {"before": Cursor(at, uuid4()).write(owner, "rail")}).status_code == 200


def test_a7_nobody_meets_the_rows_of_others(stranger: Client, conversation: Conversation) -> None:
    for address in (LIST, RAIL, f"{RAIL}?count=500", f"{RAIL}?open={conversation.pk}", "/conversations/find/"):
        response = stranger.get(address)
        assert shown(response) == []
        assert f"{conversation.pk}/" not in response.content.decode()


@pytest.mark.parametrize("is_open", ["", "nonsense", "00000000-0000-0000-0000-00000000000g", "²" * 32])
def test_nonsense_about_the_open_conversation_marks_nothing(
    page: Client, conversation: Conversation, is_open: str
) -> None:
    html = page.get(RAIL, {"open": is_open}).content.decode()
    assert conversation.title in html
    assert "aria-current" not in html
