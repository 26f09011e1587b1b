"""However what was said is spread over the years, the newest matches are found, and by few statements."""

from __future__ import annotations

import datetime
import random
from collections.abc import Iterable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from conversations.models import Conversation, Message
from conversations.search import RANKED, search_messages
from conversations.search.spans import LOOKED_AT
from conversations.services import index_messages
from tests.factories import make_assistant
from tests.search.said import find, say

NOW = timezone.now()


def say_often(owner: User, moments: Iterable[datetime.datetime]) -> None:
    """A conversation each, of one message that holds the word."""
    assistant = make_assistant()
    moments = list(moments)
    conversations = Conversation.objects.bulk_create(
        Conversation(owner=owner, assistant=assistant, title="x", created_at=at, last_activity_at=at) for at in moments
    )
    Message.objects.bulk_create(
        Message(
            conversation=conversation,
            owner=owner,
            role="user",
            status="completed",
            text=f"umbrella {number}",
            created_at=conversation.created_at,
        )
        for number, conversation in enumerate(conversations)
    )
    index_messages(seconds=60)


def ago(days: float) -> datetime.datetime:
    return NOW - datetime.timedelta(days=days)


def found(owner: User, **options: object) -> set[str]:
    """All that is found, from all pages."""
    pages = [search_messages(owner, "umbrella", page=page, **options) for page in range(1, RANKED // 20 + 1)]  # type: ignore[arg-type]
    ids = [hit.message_id for page in pages for hit in page.hits]
    assert len(ids) == len(set(ids))
    return {message.text for message in Message.objects.filter(pk__in=ids)}


@pytest.mark.parametrize(
    "days",
    [
        [0, 0.1, 31, 62, 93, 124, 155, 365, 366, 730, 1461, 3652],
        [400, 401, 2000],
        [3652],
        [*(number / 3 for number in range(60)), *range(2000, 2100)],
        [*range(300, 360), *range(3000, 3060)],
        [random.Random(1).uniform(0, 3652) for _ in range(300)],
    ],
    ids=["spread", "pause", "once", "then-and-now", "two-bursts", "random"],
)
def test_everything_is_found_once(anna: User, days: list[float]) -> None:
    say_often(anna, map(ago, days))
    assert found(anna) == {f"umbrella {number}" for number in range(len(days))}


def test_the_edges_of_months_and_years_are_in_one_span_each(anna: User) -> None:
    moment = datetime.timedelta(microseconds=1)
    starts = [datetime.datetime(2025 - months // 12, 12 - months % 12, 1, tzinfo=datetime.UTC) for months in range(30)]
    say_often(anna, [edge for start in starts for edge in (start - moment, start)])
    assert len(found(anna)) == 60


@pytest.mark.parametrize("seed", range(5))
def test_days_leave_what_lies_between_them(anna: User, seed: int) -> None:
    chance = random.Random(seed)
    moments = [ago(chance.choice([chance.uniform(0, 40), chance.uniform(0, 3652)])) for _ in range(200)]
    say_often(anna, moments)
    for _ in range(10):
        since, until = sorted(chance.sample([moment.date() for moment in moments], 2))
        assert found(anna, since=since, until=until) == {
            f"umbrella {number}" for number, moment in enumerate(moments) if since <= moment.date() <= until
        }


def test_the_newest_are_found_where_there_are_too_many(anna: User) -> None:
    say_often(anna, [ago(60 - number / 10) for number in range(RANKED + 100)])
    assert found(anna) == {f"umbrella {number}" for number in range(100, RANKED + 100)}


@pytest.mark.parametrize("query", ["umbrella", "hat", '"hat umbrella"'], ids=["old", "nowhere", "phrase"])
def test_ten_years_take_few_statements(anna: User, query: str) -> None:
    say_often(anna, [ago(0), ago(3652)])
    with CaptureQueriesContext(connection) as queries:
        search_messages(anna, query)
    assert sum("candidate" in query["sql"] for query in queries) <= 5


def test_what_was_said_before_the_record_of_activity_says_so_is_found(anna: User) -> None:
    """An answer that is tried again, say, is newer than the last activity that its conversation tells of."""
    message = say(anna, "hat", at=ago(300))[0]
    Message.objects.create(
        conversation=message.conversation, owner=anna, parent=message, role="user", status="completed", text="umbrella"
    )
    assert len(find(anna, "umbrella").hits) == 1


def test_a_phrase_of_words_that_are_everywhere_is_looked_for_in_the_newest_messages_and_that_is_said(
    anna: User,
) -> None:
    assistant = make_assistant()
    conversation = Conversation.objects.create(owner=anna, assistant=assistant, title="x")
    texts = ["red umbrella", *["umbrella, red"] * LOOKED_AT, "red umbrella"]
    Message.objects.bulk_create(
        Message(conversation=conversation, owner=anna, role="user", status="completed", text=text) for text in texts
    )
    index_messages(seconds=60)
    result = search_messages(anna, '"red umbrella"')
    assert (len(result.hits), result.is_capped) == (1, True)
    assert "Only the newest 2,000" in result.note
    day = timezone.localdate() - datetime.timedelta(days=1)
    assert search_messages(anna, '"red umbrella"', until=day).note == ""
