"""The pages on which endpoints are made and followed, and the log of what was sent."""

from __future__ import annotations

import datetime
import re
import uuid
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob
from pytest_django import Settings

from accounts.models import User
from audit.models import AuditEvent
from tests.admin.test_hostile_text import HOSTILE, _active_content
from tests.factories import make_user
from tests.webhooks.sent import fresh, make_endpoint, make_events, tell
from webhooks.keys import LostSecret, conceal, reveal
from webhooks.models import WebhookDelivery, WebhookEndpoint
from webhooks.services import purge_deliveries

pytestmark = pytest.mark.django_db
ADD = reverse("admin:webhooks_webhookendpoint_add")
LIST = reverse("admin:webhooks_webhookendpoint_changelist")
LOG = reverse("admin:webhooks_webhookdelivery_changelist")
FORM = {"name": "CRM", "url": "https://crm.example.com/verbatim", "kinds": ["conversation.removed"], "is_enabled": "on"}


@pytest.fixture
def clerk() -> User:
    """Staff who may manage endpoints, and nothing else."""
    person = make_user(username="clerk", is_staff=True)
    person.user_permissions.set(Permission.objects.filter(codename__endswith="_webhookendpoint"))
    return person


@pytest.fixture
def client(client: Client, clerk: User) -> Client:
    client.force_login(clerk)
    return client


def page_of(endpoint: WebhookEndpoint, deed: str = "change") -> str:
    return reverse(f"admin:webhooks_webhookendpoint_{deed}", args=[endpoint.pk])


def make_delivery(endpoint: WebhookEndpoint, **fields: object) -> WebhookDelivery:
    now = timezone.now()
    fields = {
        "seq": 1, "kind": "conversation.concluded", "conversation_id": uuid.uuid4(), "state": "delivered",
        "ended_at": now, "give_up_at": now, "tries": 1, "status_code": 204, "milliseconds": 12,
    } | fields  # fmt: skip
    return WebhookDelivery.objects.create(endpoint=endpoint, **fields)


def test_an_endpoint_is_made_and_its_secret_shown_this_once(client: Client, clerk: User) -> None:
    make_events(3)
    response = client.post(ADD, FORM)
    page = response.content.decode()
    found = re.search(r"whsec_[A-Za-z0-9+/]{43}=", page)
    assert found, page
    assert "no-store" in response["Cache-Control"]
    endpoint = WebhookEndpoint.objects.get()
    assert (endpoint.name, endpoint.kinds, endpoint.cursor) == ("CRM", ["conversation.removed"], 3)
    assert found[0] not in endpoint.secret
    assert reveal(endpoint.secret) == found[0]
    for address in (page_of(endpoint), LIST, page_of(endpoint, "history")):
        assert "whsec_" not in client.get(address).content.decode()
    told = AuditEvent.objects.get(kind="setting.added")
    assert (told.actor_id, told.object_id) == (clerk.pk, str(endpoint.pk))
    assert "whsec_" not in str(told.details)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"url": "http://crm.example.com/"}, "Use https: plain http goes to the networks of WEBHOOK_ALLOWED_NETWORKS"),
        ({"url": "https://127.0.0.1/"}, "127.0.0.1 is not a public address"),
        ({"url": "https://[::ffff:10.0.0.1]/"}, "10.0.0.1 is not a public address"),
        ({"url": "https://me:secret@crm.example.com/"}, "Leave out name and password"),
        ({"url": "nonsense"}, "This is no address such as https://crm.example.com/verbatim."),
        ({"url": "https://crm.example.com/" + "x" * 500}, "has at most 500 characters"),
        ({"url": ""}, "This field is required."),
        ({"name": ""}, "This field is required."),
        ({"name": "x" * 101}, "has at most 100 characters"),
        ({"kinds": ["conversation.made"]}, "is not one of the available choices"),
    ],
)
def test_f6_what_cannot_be_sent_to_is_refused_with_a_sentence(
    client: Client, changed: dict[str, object], words: str
) -> None:
    response = client.post(ADD, FORM | changed)
    assert response.status_code == 200
    assert words in response.content.decode()
    assert not WebhookEndpoint.objects.exists()


def test_two_endpoints_have_two_names(client: Client) -> None:
    make_endpoint("https://crm.example.com/", name="CRM")
    response = client.post(ADD, FORM)
    assert "with this Name already exists" in response.content.decode()
    assert "whsec_" not in response.content.decode()


def test_a_change_is_told_to_the_audit_and_leaves_secret_and_place(client: Client) -> None:
    endpoint, secret = make_endpoint("https://crm.example.com/", cursor=7)
    hostile = {"secret": "x", "cursor": "0", "holder": str(uuid.uuid4()), "id": str(uuid.uuid4())}
    response = client.post(page_of(endpoint), FORM | hostile)
    assert response.status_code == 302
    again = fresh(endpoint)
    assert (again.url, again.cursor, again.holder, reveal(again.secret)) == (FORM["url"], 0, None, secret)
    told = AuditEvent.objects.get(kind="setting.changed")
    assert told.details["fields"] == ["Address", "Events", "Name"]


def test_a_change_writes_nothing_but_what_was_changed(client: Client) -> None:
    endpoint, _ = make_endpoint(str(FORM["url"]), kinds=FORM["kinds"], name="Before")
    now = timezone.now()
    times = dict.fromkeys(("held_until", "resume_at", "troubled_at", "gave_up_at"), now)
    meanwhile: dict[str, Any] = {"cursor": 7, "holder": uuid.uuid4(), "pauses": 3, "secret": conceal("new")} | times
    written: list[str] = []

    def the_sender_was_first(execute: Any, sql: str, *given: Any) -> Any:
        if sql.startswith('UPDATE "webhooks_webhookendpoint"'):
            written.append(sql)
            if len(written) == 1:
                WebhookEndpoint.objects.update(**meanwhile)
        return execute(sql, *given)

    with connection.execute_wrapper(the_sender_was_first):
        for _ in range(2):
            assert client.post(page_of(endpoint), FORM).status_code == 302
    assert WebhookEndpoint.objects.filter(name="CRM", **meanwhile).exists()
    assert len(written) == 2  # what the sender wrote, and the name; the second time nothing was changed


def test_a_new_secret_takes_the_place_of_the_other(client: Client) -> None:
    endpoint, secret = make_endpoint("https://crm.example.com/")
    page = client.post(page_of(endpoint, "secret")).content.decode()
    new = reveal(fresh(endpoint).secret)
    assert new in page
    assert secret not in page
    assert AuditEvent.objects.get(kind="webhook.secret_made").object_id == str(endpoint.pk)


def test_secrets_kept_under_another_key_are_not_read(settings: Settings) -> None:

    kept = conceal("whsec_x")
    settings.SECRET_KEY = "another key for tests alone, in no way a secret of anybody"
    with pytest.raises(LostSecret):
        reveal(kept)


def test_a_test_is_sent_also_where_the_endpoint_pauses(client: Client, clerk: User) -> None:
    endpoint, _ = make_endpoint("https://crm.example.com/", is_enabled=False, resume_at=timezone.now())
    for _ in range(2):
        response = client.post(page_of(endpoint, "test"), follow=True)
    assert "A test is on its way." in response.content.decode()
    delivery = WebhookDelivery.objects.get()
    assert (delivery.kind, delivery.seq, delivery.state, delivery.asked_by) == ("webhook.test", 0, "pending", clerk)
    assert fresh(endpoint).resume_at is None
    assert ProcrastinateJob.objects.filter(task_name="webhooks.tasks.send_now", queue_name="background").count() == 2
    assert AuditEvent.objects.filter(kind="webhook.tested").count() == 2


def test_events_are_sent_again_from_a_number_on(client: Client) -> None:
    endpoint, _ = make_endpoint("https://crm.example.com/")
    events = make_events(5)
    WebhookEndpoint.objects.update(cursor=events[-1].seq)
    page = client.post(page_of(endpoint, "replay"), {"seq": "4"}, follow=True).content.decode()
    assert "2 events are sent once more, under the ids that they have had." in page
    assert fresh(endpoint).cursor == 3
    told = AuditEvent.objects.get(kind="webhook.replayed")
    assert told.details == {"from": 4, "events": 2}


@pytest.mark.parametrize(
    ("seq", "words"),
    [
        ("", "Enter the number of an event."),
        ("x", "Enter the number of an event."),
        ("0", "greater than or equal to 1"),
        ("6", "There is nothing to send again: the last event"),
        ("9" * 30, "less than or equal to"),
    ],
)
def test_a_number_that_is_none_sends_nothing_again(client: Client, seq: str, words: str) -> None:
    endpoint, _ = make_endpoint("https://crm.example.com/")
    WebhookEndpoint.objects.update(cursor=make_events(5)[-1].seq)
    page = client.post(page_of(endpoint, "replay"), {"seq": seq}, follow=True).content.decode()
    assert words in page
    assert fresh(endpoint).cursor == 5


def test_one_delivery_is_sent_again_and_one_that_waits_is_tried_now(client: Client) -> None:
    endpoint, _ = make_endpoint("https://crm.example.com/")
    (event,) = make_events(1)
    done = make_delivery(endpoint, seq=event.seq, conversation_id=event.conversation_id)
    again = reverse("admin:webhooks_webhookdelivery_again", args=[done.pk])
    assert "Send again" in client.get(reverse("admin:webhooks_webhookdelivery_change", args=[done.pk])).content.decode()
    for _ in range(2):
        assert client.post(again).status_code == 303
    waiting = WebhookDelivery.objects.get(state="pending")
    assert (waiting.seq, waiting.conversation_id) == (event.seq, event.conversation_id)
    assert "Try now" in client.get(reverse("admin:webhooks_webhookdelivery_change", args=[waiting.pk])).content.decode()
    test = make_delivery(endpoint, seq=0, kind="webhook.test", conversation_id=None)
    page = client.post(reverse("admin:webhooks_webhookdelivery_again", args=[test.pk]), follow=True).content.decode()
    assert "A test is not sent again. Send another one." in page


def test_the_log_is_found_in_by_event_conversation_standing_and_endpoint(client: Client) -> None:
    one, _ = make_endpoint("https://one.example/")
    other, _ = make_endpoint("https://other.example/")
    first = make_delivery(one, seq=11)
    failed = make_delivery(other, seq=22, state="failed", problem="It answered 500.", status_code=500)

    def listed(query: str) -> set[str]:
        page = client.get(f"{LOG}?{query}").content.decode()
        return {str(row.pk) for row in (first, failed) if str(row.pk) in page}

    assert listed("") == {str(first.pk), str(failed.pk)}
    assert listed("q=11") == listed(f"q={first.conversation_id}") == {str(first.pk)}
    assert listed("state__exact=failed") == listed(f"endpoint__id__exact={other.pk}") == {str(failed.pk)}
    for nonsense in ("q=nothing", "q=" + "9" * 40, "q=①", "q=%27%22--"):
        assert listed(nonsense) == set()


def test_the_log_and_the_list_take_the_same_queries_however_long_they_are(client: Client) -> None:
    endpoint, _ = make_endpoint("https://one.example/")
    for address in (LOG, LIST, page_of(endpoint)):
        client.get(address)  # what is looked up once in a process is known from here on
        counts = []
        for _ in range(2):
            for number in range(10):
                make_delivery(endpoint, seq=number + 1)
            with CaptureQueriesContext(connection) as queries:
                client.get(address)
            counts.append(len(queries))
        assert counts[0] == counts[1], address


def test_an_endpoint_of_which_the_log_tells_is_kept(client: Client) -> None:
    endpoint, _ = make_endpoint("https://one.example/")
    make_delivery(endpoint)
    page = client.post(page_of(endpoint, "delete"), {"post": "yes"}, follow=True).content.decode()
    assert "cannot be deleted while the log tells of them" in page
    assert WebhookEndpoint.objects.exists()
    WebhookDelivery.objects.all().delete()
    client.post(page_of(endpoint, "delete"), {"post": "yes"})
    assert not WebhookEndpoint.objects.exists()


def test_the_log_is_shortened_by_what_ended_90_days_ago() -> None:
    endpoint, _ = make_endpoint("https://one.example/")
    old, young = (make_delivery(endpoint, ended_at=timezone.now() - datetime.timedelta(days=days)) for days in (91, 89))
    pending = make_delivery(endpoint, state="pending", ended_at=None)
    assert purge_deliveries() == 1
    assert purge_deliveries() == 0
    assert set(WebhookDelivery.objects.all()) == {young, pending}
    assert old not in WebhookDelivery.objects.all()


def test_how_an_endpoint_fares_stands_on_its_page(client: Client) -> None:
    endpoint, _ = make_endpoint("https://one.example/")
    assert "Nothing was sent yet." in client.get(page_of(endpoint)).content.decode()
    tell(make_events(1)[0].conversation, "conversation.removed")
    make_delivery(endpoint, state="failed", problem="It answered 500.")
    now = timezone.now()
    later = now + datetime.timedelta(hours=1)
    WebhookEndpoint.objects.update(troubled_at=now, gave_up_at=now, resume_at=later, problem="It answered 500.")
    page = client.get(page_of(endpoint)).content.decode()
    for words in ("Deliveries were given up", "It answered 500.", "Next try", "up to event 0 of 2"):
        assert words in page
    assert "Deliveries were given up" in client.get(LIST).content.decode()


@pytest.mark.parametrize("text", HOSTILE)
def test_x14_what_a_listener_answers_is_text(client: Client, text: str) -> None:
    endpoint, _ = make_endpoint("https://one.example/", name=text, problem=text)
    delivery = make_delivery(endpoint, answer=text, problem=text, kind=text[:40])
    pages = [LIST, LOG, page_of(endpoint), reverse("admin:webhooks_webhookdelivery_change", args=[delivery.pk])]
    shown = [client.get(page) for page in pages] + [client.post(page_of(endpoint, "secret"))]
    for page in shown:
        assert page.status_code == 200
        assert _active_content(page.content.decode()) == []


def test_an_endpoint_that_is_deleted_while_its_form_is_saved_is_told_to_be_gone(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint, _ = make_endpoint("https://one.example/")
    monkeypatch.setattr("records.admin.webhook.require_url", lambda url: WebhookEndpoint.objects.all().delete())
    assert client.post(page_of(endpoint), FORM).status_code == 404
