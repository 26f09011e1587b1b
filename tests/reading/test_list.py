"""The list of all conversations: its columns, its order, its pages."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from conversations.models import Assistant, Conversation, Generation
from records.services.facts import keep_facts
from tests.admin.record import make_answer, make_thread
from tests.factories import make_assistant, make_user
from tests.reading.listed import LIST, answer_of, last_active, listed, rated, used, with_file
from tests.sitting import SittingClient

pytestmark = pytest.mark.django_db


def _column(page: str, name: str) -> list[str]:
    return re.findall(rf'<td class="field-{name}[^"]*">(.*?)</td>', page)


def test_sums_and_signs_are_shown(client: SittingClient) -> None:
    conversation = rated("down")
    make_answer(answer_of(conversation), status="refused")
    Conversation.objects.filter(pk=conversation.pk).update(hidden_at=timezone.now())
    keep_facts()
    page = client.get(reverse(LIST)).content.decode()
    shown = [_column(page, name) for name in ("messages", "files", "tokens", "cost", "signs")]
    assert shown == [["3"], ["0"], ["30"], ["$0.00015"], ["1 refused, 1 rated bad, deleted by its owner"]]


def test_a_conversation_without_sums_is_listed_with_dashes(client: SittingClient) -> None:
    make_thread()
    page = client.get(reverse(LIST)).content.decode()
    assert _column(page, "messages") + _column(page, "cost") == ["–", "–"]


def test_an_unknown_cost_is_no_cost_of_zero(client: SittingClient) -> None:
    unknown = {"started_at": timezone.now(), "finished_at": timezone.now(), "cost": None}
    used(**unknown)
    mixed = used(cost="1")
    make_answer(answer_of(mixed))
    Generation.objects.filter(conversation=mixed, cost__lt=1).update(**unknown)
    keep_facts()
    assert sorted(_column(client.get(reverse(LIST)).content.decode(), "cost")) == ["$1.00 + unknown", "unknown"]


@pytest.mark.parametrize(("order", "name"), [("-7", "tokens"), ("-8", "cost"), ("7", "tokens"), ("8", "cost")])
def test_the_list_is_ordered_by_its_sums(client: SittingClient, order: str, name: str) -> None:
    little, much = used(cost="0.5", input_tokens=10), used(cost="7", input_tokens=500)
    expected = [much, little] if order.startswith("-") else [little, much]
    assert listed(client, o=order) == expected
    assert listed(client, o=order, files="no") == expected


@pytest.mark.parametrize("order", ["1", "-2", "3.4", "99", "x", "-"])
def test_other_columns_order_nothing(client: SittingClient, order: str) -> None:
    older, newer = last_active("2001-01-01"), last_active("2002-01-01")
    assert listed(client, o=order)[0].pk in (older.pk, newer.pk)
    query = str(client.get(reverse(LIST), {"o": order}).context["cl"].queryset.query)
    assert "ORDER BY" in query
    assert '"title" ASC' not in query


@pytest.mark.parametrize("page", ["0", "-1", "7", "9" * 30, "x"])
def test_a_page_that_there_is_not_is_another_one_with_the_same_filters(client: SittingClient, page: str) -> None:
    conversation = make_thread()
    with_file()
    assert listed(client, files="no", p=page) == [conversation]


def test_pages_follow_each_other_by_last_activity(client: SittingClient) -> None:
    assistant: Assistant = make_assistant()
    owner, moment = make_user(), timezone.now()
    made = [
        Conversation.objects.create(owner=owner, assistant=assistant, title=str(number), last_activity_at=moment)
        for number in range(60)
    ]
    rows: list[Any] = [*listed(client, p=1, files="no"), *listed(client, p=2, files="no")]
    assert [row.pk for row in rows] == [one.pk for one in reversed(made)]
    assert listed(client, p=7, files="no") == rows[50:]
