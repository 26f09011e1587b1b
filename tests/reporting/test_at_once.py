"""Those who reckon, remove and rate do it at the same time, and nothing is counted twice or lost."""

import datetime
import threading

import pytest
from django.db import transaction

from conversations.models import Conversation
from records.services.usage_facts import find_marked_days, keep_usage, mark_all_days, reckon_day
from tests.factories import make_assistant, make_model, make_user
from tests.reporting.used import assert_adds_up, counted, kept, rate, remove, total, used_at
from tests.together import at_once

pytestmark = pytest.mark.django_db(transaction=True)
DAY = datetime.date(2026, 3, 5)


def test_days_are_reckoned_while_conversations_are_removed() -> None:
    owner, assistant = make_user(), make_assistant()
    make_model()
    conversations = [used_at("2026-03-05", owner=owner, assistant=assistant) for _ in range(8)]
    expected = counted()
    mark_all_days()
    at_once(
        *(lambda one=one: remove(one) for one in conversations[:6]),
        *(lambda: [reckon_day(day=DAY) for _ in range(4)] for _ in range(2)),
        keep_usage,
    )
    assert_adds_up(expected)
    keep_usage()
    assert_adds_up(expected)
    assert Conversation.objects.count() == 2


def test_several_who_reckon_a_day_write_it_once() -> None:
    used_at("2026-03-05")
    expected = counted()
    at_once(*[keep_usage] * 4)
    assert_adds_up(expected)


def test_a_rating_that_is_not_committed_while_its_day_is_reckoned_is_taken_in_later() -> None:
    answer = used_at("2026-03-05").messages.get(role="assistant")
    keep_usage()
    given, reckoned = threading.Event(), threading.Event()

    def give() -> None:
        with transaction.atomic():
            rate(answer, "up")
            given.set()
            assert reckoned.wait(10)

    def reckon() -> None:
        assert given.wait(10)
        reckon_day(day=DAY)
        reckoned.set()

    at_once(give, reckon)
    assert "thumbs_up" not in total(kept())
    assert find_marked_days() == [DAY]
    keep_usage()
    assert total(kept())["thumbs_up"] == 1
