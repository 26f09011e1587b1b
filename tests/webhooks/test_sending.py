"""What happened reaches who listens: signed, in order, once by its id, whatever befalls either side."""

from __future__ import annotations

import asyncio
import datetime
import json
import os
import signal
import subprocess
import sys
from uuid import uuid4

import pytest
from django.db import connections
from django.utils import timezone
from pytest_django import Settings

from conversations.models import Event
from tests.fakes.child import ROOT
from tests.fakes.listener import Answer, Listener
from tests.services.concluded import make_sealed
from tests.storage.test_removing import database_url
from tests.system.site import wait_for
from tests.webhooks.sent import (
    DELIVERED,
    PENDING,
    fresh,
    is_signed,
    make_conversations,
    make_endpoint,
    make_events,
    numbers,
    pass_time,
    send,
    standings,
    tell,
)
from webhooks.live.sending import send_waiting
from webhooks.models import WebhookDelivery
from webhooks.services import Outcome, claim_endpoints, next_parcel, note_outcome

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_sealed_conversation_is_told_with_its_hash_and_a_link_to_its_document(
    listener: Listener, settings: Settings
) -> None:
    _, secret = make_endpoint(listener.url)
    sealed = make_sealed("A word that no webhook tells")
    send()
    (received,) = listener.received
    event = Event.objects.get()
    assert received.path == "/hook?from=chat"
    assert received.headers["content-type"] == "application/json"
    assert is_signed(received, secret)
    assert not is_signed(received, "whsec_" + "A" * 44)
    assert received.id == str(event.uid)
    assert abs(int(received.headers["webhook-timestamp"]) - timezone.now().timestamp()) < 300
    told = received.told
    assert (told["id"], told["seq"], told["kind"]) == (received.id, event.seq, "conversation.concluded")
    document = told["data"]["document"]
    assert (document["sha256"], document["size"]) == (sealed.sha256, sealed.size)
    assert document["url"] == f"{settings.PUBLIC_URL}/api/v1/conversations/{sealed.pk}/document/?everyone=true"
    assert b"A word" not in received.body
    delivery = WebhookDelivery.objects.get()
    assert (delivery.state, delivery.tries, delivery.status_code) == (DELIVERED, 1, 204)
    send()
    assert len(listener.received) == 1


def test_a_listener_that_is_down_for_an_hour_gets_everything_once_in_order_and_signed(listener: Listener) -> None:
    endpoint, secret = make_endpoint(listener.url)
    early = make_events(2)
    send()
    listener.close()
    late = []
    for _ in range(12):
        late += make_events(2)
        for _ in range(3):
            send()
        pass_time(minutes=5)
    endpoint.refresh_from_db()
    assert endpoint.troubled_at is not None
    assert endpoint.problem == "No connection could be made: Connection refused."
    listener.open()
    pass_time(hours=1)
    send()
    events = early + late
    assert numbers(listener) == [event.seq for event in events]
    assert [received.id for received in listener.received] == [str(event.uid) for event in events]
    assert all(is_signed(received, secret) for received in listener.received)
    assert standings(endpoint) == [(event.seq, DELIVERED) for event in events]
    again = fresh(endpoint)
    assert (again.pauses, again.problem, again.troubled_at, again.resume_at) == (0, "", None, None)
    # Who is away is asked by one delivery alone, the first.
    tried = dict(WebhookDelivery.objects.values_list("seq", "tries"))
    assert tried.pop(late[0].seq) > 5
    assert set(tried.values()) == {1}


_SENDER = """
import asyncio, django
django.setup()
from webhooks.live.sending import send_waiting
asyncio.run(send_waiting())
"""


def test_a_sender_killed_in_the_middle_is_followed_by_another_under_the_same_ids(listener: Listener) -> None:
    endpoint, secret = make_endpoint(listener.url)
    events = make_events(4)
    listener.answers = [Answer(), Answer(seconds=3)]
    environment = {"DATABASE_URL": database_url(), "WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8"}

    sender = subprocess.Popen(
        [sys.executable, "-c", _SENDER], cwd=ROOT, env=os.environ | environment, start_new_session=True
    )
    wait_for(lambda: len(listener.received) == 2, what="the second delivery")
    sender.send_signal(signal.SIGKILL)
    sender.wait()
    assert standings(endpoint) == [(events[0].seq, DELIVERED), *((event.seq, PENDING) for event in events[1:])]
    send()
    assert len(listener.received) == 2  # it is still taken to be at work
    pass_time(seconds=61)
    send()
    first, second, third, fourth = (event.seq for event in events)
    assert numbers(listener) == [first, second, second, third, fourth]
    assert len({received.id for received in listener.received}) == 4
    assert listener.received[1].body == listener.received[2].body
    assert all(is_signed(received, secret) for received in listener.received)
    assert {state for _, state in standings(endpoint)} == {DELIVERED}


def test_a_sender_that_lost_its_endpoint_writes_nothing(listener: Listener) -> None:
    endpoint, _ = make_endpoint(listener.url)
    make_events(2)
    slow, quick = uuid4(), uuid4()
    assert claim_endpoints(holder=slow) == [endpoint.pk]
    parcel = next_parcel(endpoint_id=endpoint.pk, holder=slow)
    assert parcel is not None
    assert claim_endpoints(holder=quick) == []
    pass_time(seconds=61)
    assert claim_endpoints(holder=quick) == [endpoint.pk]
    failed = Outcome(is_delivered=False, is_away=True, problem="It was cut off.")
    arguments = {"parcel": parcel, "endpoint_id": endpoint.pk, "outcome": failed, "has_to_pause": False}
    assert not note_outcome(**arguments, holder=slow)  # type: ignore[arg-type]
    assert next_parcel(endpoint_id=endpoint.pk, holder=slow) is None
    endpoint.refresh_from_db()
    assert endpoint.troubled_at is None
    again = next_parcel(endpoint_id=endpoint.pk, holder=quick)
    assert again is not None
    assert (again.uid, again.body) == (parcel.uid, parcel.body)


def test_many_senders_at_once_send_everything_once_and_in_order(listener: Listener) -> None:
    others = [Listener() for _ in range(2)]
    for other in others:
        other.open()
    for each in (listener, *others):
        make_endpoint(each.url)
    events = make_events(15)

    async def at_once() -> None:
        await asyncio.gather(*(send_waiting() for _ in range(6)))

    asyncio.run(at_once())
    connections.close_all()
    for each in (listener, *others):
        assert numbers(each) == [event.seq for event in events]
    for other in others:
        other.close()


def test_a_conversation_is_told_in_order_while_others_go_on(listener: Listener) -> None:
    endpoint, _ = make_endpoint(listener.url)
    one, other = make_conversations(2)
    concluded, elsewhere, removed = tell(one), tell(other), tell(one, "conversation.removed")
    listener.answers = [Answer(status=500, body=b"no such customer")]
    send()
    assert numbers(listener) == [concluded.seq, elsewhere.seq]
    assert standings(endpoint) == [(concluded.seq, PENDING), (elsewhere.seq, DELIVERED), (removed.seq, PENDING)]
    refused = WebhookDelivery.objects.get(seq=concluded.seq)
    assert (refused.problem, refused.answer, refused.tries) == ("It answered 500.", "no such customer", 1)
    send()
    assert len(listener.received) == 2
    pass_time(seconds=6)
    send()
    assert numbers(listener)[2:] == [concluded.seq, removed.seq]


def test_only_wanted_kinds_are_sent_and_none_is_skipped(listener: Listener) -> None:
    endpoint, _ = make_endpoint(listener.url, kinds=["conversation.removed"])
    conversations = make_conversations(3)
    for conversation in conversations:
        tell(conversation)
    send()
    assert listener.received == []
    removed = [tell(conversation, "conversation.removed") for conversation in conversations]
    send()
    assert numbers(listener) == [event.seq for event in removed]
    endpoint.refresh_from_db()
    assert endpoint.cursor == removed[-1].seq


def test_what_comes_while_an_endpoint_is_disabled_is_sent_when_it_is_enabled_again(listener: Listener) -> None:
    endpoint, _ = make_endpoint(listener.url, is_enabled=False)
    events = make_events(3)
    send()
    assert listener.received == []
    type(endpoint).objects.update(is_enabled=True)
    send()
    assert numbers(listener) == [event.seq for event in events]


def test_a_new_endpoint_is_told_nothing_of_what_was_before(listener: Listener) -> None:
    make_events(2)
    make_endpoint(listener.url)
    send()
    assert listener.received == []


@pytest.mark.slow
def test_more_events_than_are_planned_ahead_arrive_all_the_same(listener: Listener) -> None:
    endpoint, _ = make_endpoint(listener.url)
    (conversation,) = make_conversations(1)
    rows = [Event(seq=seq, kind="x", conversation=conversation, owner=conversation.owner) for seq in range(1, 206)]
    Event.objects.bulk_create(rows)
    send()
    assert numbers(listener) == list(range(1, 206))
    endpoint.refresh_from_db()
    assert endpoint.cursor == 205


def test_a_secret_of_another_secret_key_signs_nothing_and_is_told(listener: Listener, settings: Settings) -> None:
    endpoint, _ = make_endpoint(listener.url)
    make_events(1)
    settings.SECRET_KEY = "another key for tests alone, in no way a secret of anybody"
    send()
    assert listener.received == []
    endpoint.refresh_from_db()
    assert endpoint.problem.startswith("Its secret can no longer be read, because SECRET_KEY is another one now.")


def test_a_change_of_the_address_counts_from_the_next_try_on(listener: Listener) -> None:
    endpoint, _ = make_endpoint("http://127.0.0.1:9/")
    events = make_events(2)
    send()
    type(endpoint).objects.update(url=listener.url)
    pass_time(seconds=6)
    send()
    assert numbers(listener) == [event.seq for event in events]


def test_the_body_is_the_event_in_the_feed(listener: Listener) -> None:
    make_endpoint(listener.url)
    (event,) = make_events(1)
    send()
    body = json.loads(listener.received[0].body)
    assert set(body) == {"id", "seq", "kind", "created_at", "conversation", "data"}
    assert datetime.datetime.fromisoformat(body["created_at"]) == event.created_at
