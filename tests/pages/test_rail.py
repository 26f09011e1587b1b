"""The rail: what stands in it, and what it costs."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from conversations.history import read_rail
from conversations.models import Assistant, Conversation, Message
from tests.pages.rail import HOUR, LIST, MARKUP, RAIL, add, shown
from tests.pages.record import queries, text_of


def ended(conversation: Conversation, *, ago: datetime.timedelta, **fields: Any) -> None:
    """Let the conversation end with an answer that ended some time ago."""
    said = Message.objects.create(conversation=conversation, owner=conversation.owner, role="user", status="completed")
    fields = {"status": "completed", "text": "So.", "finished_at": timezone.now() - ago} | fields
    conversation.current_leaf = Message.objects.create(
        conversation=conversation, owner=conversation.owner, role="assistant", parent=said, **fields
    )
    conversation.save()


# -- what stands in it ---------------------------------------------------------------------------------------------


def test_pinned_ones_stand_on_top_and_nowhere_else(page: Client, owner: User, assistant: Assistant) -> None:
    rows = add(owner, assistant, 4)
    for minutes, row in ((5, rows[3]), (1, rows[1])):
        Conversation.objects.filter(pk=row.pk).update(pinned_at=timezone.now() - datetime.timedelta(minutes=minutes))
    response = page.get(LIST)
    assert shown(response) == ["Number 1", "Number 3", "Number 0", "Number 2"]
    assert "Pinned Number 1 Number 3" in text_of(response)


def test_days_are_named_as_people_name_them(page: Client, owner: User, assistant: Assistant) -> None:
    today = timezone.localdate()
    for days in (0, 1, 3, 40, 800):
        at = timezone.now() - datetime.timedelta(days=days)
        Conversation.objects.create(owner=owner, assistant=assistant, title=f"{days} days ago", last_activity_at=at)
    words = text_of(page.get(LIST))
    before = {days: today - datetime.timedelta(days=days) for days in (3, 40, 800)}
    month = f"{before[40]:%B}" if before[40].year == today.year else f"{before[40]:%B %Y}"
    for expected in (
        "Today 0 days ago Yesterday 1 days ago",
        f"{before[3]:%A} 3 days ago",
        f"{month} 40 days ago",
        f"{before[800]:%B %Y} 800 days ago",
    ):
        assert expected in words


def test_an_answer_that_ended_since_its_owner_looked_is_marked(page: Client, owner: User, assistant: Assistant) -> None:
    never_seen, seen, unseen, ran = add(owner, assistant, 4)
    now = timezone.now()
    for row, seen_at in ((never_seen, None), (seen, now), (unseen, now - 2 * HOUR), (ran, now - 2 * HOUR)):
        row.seen_at = seen_at
        ended(row, ago=HOUR)
    Message.objects.filter(conversation=ran, role="assistant").update(status="streaming", finished_at=None)
    marks = {entry.title: entry.mark for day in page.get(LIST).context["history"].days for entry in day.entries}
    assert list(marks.values()) == ["", "", "unread", "running"]

    words = text_of(page.get(LIST))
    assert words.count("there is a new answer") == 1
    assert words.count("an answer is being written") == 1


def test_the_conversation_that_is_looked_at_is_not_unread(page: Client, owner: User, assistant: Assistant) -> None:
    (row,) = add(owner, assistant, 1, seen_at=timezone.now() - 2 * HOUR)
    ended(row, ago=HOUR)
    for address in (f"{LIST}{row.pk}/", f"{RAIL}?open={row.pk}"):
        words = text_of(page.get(address))
        assert "Number 0" in words
        assert "there is a new answer" not in words
        assert 'aria-current="page"><span class="rail-title"' in page.get(address).content.decode()


def test_markup_in_a_title_is_only_text(page: Client, owner: User, assistant: Assistant) -> None:
    (row,) = add(owner, assistant, 1, title=MARKUP, pinned_at=timezone.now())
    for address in (LIST, RAIL, f"{LIST}{row.pk}/", f"{LIST}{row.pk}/hide/"):
        html = page.get(address).content.decode()
        assert "<b>Bold" not in html
        assert "&lt;b&gt;Bold&lt;/b&gt; &amp; &quot;quoted&quot;" in html


# -- what it costs -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", [LIST, RAIL], ids=["page", "fragment"])
def test_the_rail_takes_one_query_for_20_rows_as_for_10(
    page: Client, owner: User, assistant: Assistant, address: str
) -> None:
    def add_ten() -> None:
        for row in add(owner, assistant, 10, seen_at=timezone.now() - 2 * HOUR):
            ended(row, ago=HOUR)
        Conversation.objects.filter(pk__in=[row.pk for row in add(owner, assistant, 3)]).update(
            pinned_at=timezone.now()
        )

    add_ten()
    before = queries(page, address)
    add_ten()
    assert queries(page, address) == before
    with CaptureQueriesContext(connection) as captured:
        assert len(read_rail(owner).pinned) == 6
    assert len(captured) == 1
