"""Two programs that change the same at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection

from conversations.models import Conversation, Feedback
from tests.api.caller import Caller
from tests.api.said import Said

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(said: Said, method: str, address: str, bodies: list[Any], **headers: str) -> list[Any]:
    """Send all of these requests at the same moment, each by a program of its own."""
    callers = [Caller(said.owner) for _ in bodies]

    def send(caller: Caller, body: Any) -> Any:
        try:
            return caller.ask(method, address, body, **headers)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(bodies)) as pool:
        return list(pool.map(send, callers, bodies))


def test_of_two_who_change_what_both_have_read_one_is_told_of_the_other(said: Said, anna: Caller) -> None:
    tag = anna.get(said.address)["ETag"]
    answers = at_once(said, "PATCH", said.address, [{"title": f"Title {number}"} for number in range(6)], If_Match=tag)
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [200] + [412] * 5
    (kept,) = [answer.json()["title"] for answer in answers if answer.status_code == 200]
    assert Conversation.objects.get(pk=said.conversation.pk).title == kept


def test_a_rating_that_is_given_many_times_at_once_is_one(said: Said) -> None:
    bodies = [{"rating": rating} for rating in ("up", "down") * 3]
    answers = at_once(said, "PUT", f"messages/{said.answer.pk}/feedback/", bodies)
    assert {answer.status_code for answer in answers} == {200}
    assert Feedback.objects.count() == 1


def test_of_many_who_conclude_at_once_one_does(said: Said) -> None:
    answers = at_once(said, "POST", f"{said.address}conclude/", [{}] * 5)
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 4
