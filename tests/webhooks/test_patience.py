"""Listeners that refuse, are away, or ask for time: nothing is lost, and nobody else waits for them."""

from __future__ import annotations

import pytest

from tests.fakes.listener import Answer, Listener
from tests.webhooks.sent import (
    DELIVERED,
    FAILED,
    PENDING,
    fresh,
    make_endpoint,
    make_events,
    numbers,
    pass_time,
    send,
    standings,
)
from webhooks.models import WebhookDelivery

pytestmark = pytest.mark.django_db(transaction=True)


def test_who_refuses_one_after_the_other_is_left_alone_for_a_while(listener: Listener) -> None:
    endpoint, _ = make_endpoint(listener.url)
    make_events(12)
    listener.usually = lambda received: Answer(status=500)
    send()
    assert len(listener.received) == 5
    endpoint.refresh_from_db()
    assert (endpoint.pauses, endpoint.problem) == (1, "It answered 500.")
    send()
    assert len(listener.received) == 5
    pass_time(seconds=6)
    listener.usually = lambda received: Answer()
    for _ in range(3):
        send()
        pass_time(minutes=2)
    assert {state for _, state in standings(endpoint)} == {DELIVERED}


@pytest.mark.slow
def test_one_that_is_refused_for_ever_holds_up_no_other(listener: Listener) -> None:
    endpoint, _ = make_endpoint(listener.url)
    events = make_events(4)
    bad = str(events[1].uid)
    listener.usually = lambda received: Answer(status=422 if received.id == bad else 200)
    for _ in range(90):
        send()
        pass_time(hours=1)
    assert standings(endpoint) == [(event.seq, FAILED if event is events[1] else DELIVERED) for event in events]
    delivery = WebhookDelivery.objects.get(state=FAILED)
    assert delivery.tries > 70
    endpoint.refresh_from_db()
    assert endpoint.gave_up_at is not None
    assert endpoint.problem == "It answered 422."
    (later,) = make_events(1)
    send()
    assert numbers(listener)[-1] == later.seq
    again = fresh(endpoint)
    assert (again.gave_up_at, again.problem) == (None, "")


def test_after_three_days_in_vain_deliveries_have_failed_and_the_endpoint_is_marked(listener: Listener) -> None:
    endpoint, _ = make_endpoint(listener.url)
    listener.close()
    make_events(3)
    send()
    pass_time(days=2)
    (young,) = make_events(1)
    pass_time(hours=1)
    send()
    assert {state for _, state in standings(endpoint)} == {PENDING}
    # The fourth is planned behind the others when they are sent: here, as nothing was planned while it paused.
    pass_time(days=1, hours=1)
    send()
    assert [state for _, state in standings(endpoint)[:3]] == [FAILED] * 3
    endpoint.refresh_from_db()
    assert endpoint.gave_up_at is not None
    assert endpoint.is_enabled
    listener.open()
    pass_time(hours=2)
    send()
    assert numbers(listener) == [young.seq]
    assert fresh(endpoint).gave_up_at is None


def test_an_endpoint_that_asks_for_time_is_given_it(listener: Listener) -> None:
    make_endpoint(listener.url)
    (event,) = make_events(1)
    listener.answers = [Answer(status=503, headers={"Retry-After": "900"})]
    send()
    pass_time(minutes=14)
    send()
    assert len(listener.received) == 1
    pass_time(minutes=2)
    send()
    assert numbers(listener) == [event.seq, event.seq]
