"""A test that waits while something else is under way stays a test, and nobody else's problem becomes its own."""

from __future__ import annotations

from uuid import uuid4

import pytest

from tests.factories import make_user
from tests.fakes.listener import Listener
from tests.webhooks.sent import (
    DELIVERED,
    FAILED,
    PENDING,
    fresh,
    make_endpoint,
    make_events,
    pass_time,
    send,
    standings,
)
from webhooks.models import WebhookDelivery
from webhooks.services import Outcome, claim_endpoints, next_parcel, note_outcome, release_endpoint, send_test

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("is_away", [True, False], ids=["away", "the last of several refusals"])
def test_a_test_that_waits_while_others_fail_is_not_given_up(listener: Listener, is_away: bool) -> None:
    endpoint, _ = make_endpoint(listener.url)
    (event,) = make_events(1)
    holder = uuid4()
    claim_endpoints(holder=holder)
    parcel = next_parcel(endpoint_id=endpoint.pk, holder=holder)
    assert parcel is not None
    send_test(endpoint=endpoint, asked_by=make_user())
    outcome = Outcome(is_delivered=False, is_away=is_away, problem="It answered 500.")
    assert note_outcome(parcel=parcel, endpoint_id=endpoint.pk, holder=holder, outcome=outcome, has_to_pause=True)
    release_endpoint(endpoint_id=endpoint.pk, holder=holder)
    assert standings(endpoint) == [(0, PENDING), (event.seq, PENDING)]
    test = WebhookDelivery.objects.get(seq=0)
    assert (test.tries, test.problem) == (0, "")
    assert fresh(endpoint).gave_up_at is None
    pass_time(minutes=1)
    send()
    assert standings(endpoint) == [(0, DELIVERED), (event.seq, DELIVERED)]


def test_a_test_in_vain_is_tried_once_and_gives_nothing_else_up(listener: Listener) -> None:
    endpoint, _ = make_endpoint(listener.url)
    listener.close()
    (event,) = make_events(1)
    send_test(endpoint=endpoint, asked_by=make_user())
    for _ in range(2):
        send()
        pass_time(minutes=1)
    assert standings(endpoint) == [(0, FAILED), (event.seq, PENDING)]
    test = WebhookDelivery.objects.get(seq=0)
    assert (test.tries, test.problem) == (1, "No connection could be made: Connection refused.")
    assert fresh(endpoint).gave_up_at is None
