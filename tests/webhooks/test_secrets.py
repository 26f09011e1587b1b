"""A new secret takes over in a day in which both sign, so that no delivery is refused meanwhile."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from typing import Any, cast

import pytest
from django.conf import settings as project
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from accounts.models import User
from records.admin.webhook import WebhookEndpointAdmin
from tests.factories import make_user
from tests.fakes.listener import Listener, Received
from tests.webhooks.sent import fresh, is_signed, make_endpoint, make_events, pass_time, send
from webhooks import tasks
from webhooks.models import WebhookEndpoint
from webhooks.services import make_new_secret

pytestmark = pytest.mark.django_db(transaction=True)

type IsGenuine = Callable[[str, dict[str, str], bytes], bool]


@pytest.fixture
def administrator() -> User:
    return make_user(is_superuser=True, is_staff=True)


@pytest.fixture
def is_genuine() -> IsGenuine:
    """The check by hand, as the documentation has it."""
    text = (project.BASE_DIR / "docs/events.md").read_text()
    code = next(block for block in re.findall(r"```python\n(.*?)```", text, re.S) if "def is_genuine" in block)
    names: dict[str, Any] = {}
    exec(code, names)
    return cast("IsGenuine", names["is_genuine"])


def next_delivery(listener: Listener) -> Received:
    make_events(1)
    send()
    return listener.received[-1]


def signatures(received: Received) -> list[str]:
    return received.headers["webhook-signature"].split(" ")


def test_for_a_day_both_secrets_sign_and_then_the_new_one_alone(
    listener: Listener, administrator: User, is_genuine: IsGenuine
) -> None:
    endpoint, old = make_endpoint(listener.url)
    assert len(signatures(next_delivery(listener))) == 1
    new = make_new_secret(endpoint=endpoint, made_by=administrator)

    received = next_delivery(listener)
    assert len(signatures(received)) == 2
    for secret in (old, new):
        assert is_signed(received, secret)
        assert is_genuine(secret, received.headers, received.body)
    assert not is_genuine("whsec_" + "A" * 44, received.headers, received.body)

    pass_time(hours=23)
    assert is_signed(next_delivery(listener), old)
    pass_time(hours=1.1)
    received = next_delivery(listener)
    assert len(signatures(received)) == 1
    assert is_signed(received, new)
    assert not is_genuine(old, received.headers, received.body)


def test_secrets_made_one_after_the_other_leave_the_one_that_the_listener_still_has(
    listener: Listener, administrator: User
) -> None:
    endpoint, first = make_endpoint(listener.url)
    made = [first, *(make_new_secret(endpoint=endpoint, made_by=administrator) for _ in range(2))]
    received = next_delivery(listener)
    assert len(signatures(received)) == 3
    assert all(is_signed(received, secret) for secret in made)
    pass_time(days=2)
    latest = make_new_secret(endpoint=endpoint, made_by=administrator)
    received = next_delivery(listener)
    assert [is_signed(received, secret) for secret in [*made, latest]] == [False, False, True, True]


def test_no_secret_is_made_that_would_cut_off_the_listener(
    listener: Listener, administrator: User, client: Client
) -> None:
    endpoint, first = make_endpoint(listener.url)
    for _ in range(3):
        make_new_secret(endpoint=endpoint, made_by=administrator)
    before = fresh(endpoint)
    assert before.former_until is not None
    client.force_login(administrator)
    page = client.post(reverse("admin:webhooks_webhookendpoint_secret", args=[endpoint.pk]), follow=True)
    told = f"signed with 4 secrets already. Another one can be made after {before.former_until:%-d %B %Y, %H:%M}."
    assert told in page.content.decode()
    assert (fresh(endpoint).secret, fresh(endpoint).former_secrets) == (before.secret, before.former_secrets)
    assert is_signed(next_delivery(listener), first)
    pass_time(hours=24.1)
    make_new_secret(endpoint=endpoint, made_by=administrator)
    assert len(signatures(next_delivery(listener))) == 2


@pytest.mark.parametrize("deed", ["test", "secret", "replay"])
def test_an_endpoint_that_is_deleted_in_between_is_not_found(
    administrator: User, client: Client, monkeypatch: pytest.MonkeyPatch, deed: str
) -> None:
    endpoint, _ = make_endpoint("https://crm.example.com/")
    found = WebhookEndpointAdmin._changeable

    def find_and_lose(*args: Any) -> Any:
        was_there = found(*args)
        WebhookEndpoint.objects.all().delete()
        return was_there

    monkeypatch.setattr(WebhookEndpointAdmin, "_changeable", find_and_lose)
    client.force_login(administrator)
    address = reverse(f"admin:webhooks_webhookendpoint_{deed}", args=[endpoint.pk])
    assert client.post(address, {"seq": 1}).status_code == 404
    assert not WebhookEndpoint.objects.exists()


def test_a_secret_that_can_no_longer_be_read_keeps_the_new_one_from_nothing(
    listener: Listener, administrator: User, settings: Settings
) -> None:
    endpoint, old = make_endpoint(listener.url)
    settings.SECRET_KEY = "another key for tests alone, in no way a secret of anybody"
    new = make_new_secret(endpoint=endpoint, made_by=administrator)
    received = next_delivery(listener)
    assert is_signed(received, new)
    assert not is_signed(received, old)


def test_secrets_that_sign_no_more_are_forgotten_at_night(administrator: User) -> None:
    endpoint, other = (make_endpoint(f"https://crm{number}.example.com/")[0] for number in range(2))
    make_new_secret(endpoint=endpoint, made_by=administrator)
    pass_time(hours=24.1)
    make_new_secret(endpoint=other, made_by=administrator)
    asyncio.run(cast(Any, tasks.purge_webhook_deliveries)(timestamp=0))
    assert fresh(endpoint).former_secrets == []
    assert len(fresh(other).former_secrets) == 1
    assert WebhookEndpoint.objects.filter(former_until__isnull=True).count() == 1


def test_the_page_says_for_how_long_both_sign(client: Client, administrator: User) -> None:
    client.force_login(administrator)
    endpoint, _ = make_endpoint("https://crm.example.com/")
    page = reverse("admin:webhooks_webhookendpoint_change", args=[endpoint.pk])
    assert "For a day, deliveries are signed with the present one, too." in client.get(page).content.decode()
    shown = client.post(reverse("admin:webhooks_webhookendpoint_secret", args=[endpoint.pk])).content.decode()
    assert "signed with the one before, too" in shown
    until = fresh(endpoint).former_until
    assert until is not None
    assert f"too, until {until:%-d %B %Y, %H:%M}." in client.get(page).content.decode()
    pass_time(days=1, seconds=1)
    assert "For a day," in client.get(page).content.decode()


def test_after_a_change_of_secret_key_a_new_secret_ends_the_pause_and_promises_no_overlap(
    listener: Listener, administrator: User, client: Client, settings: Settings
) -> None:
    endpoint, old = make_endpoint(listener.url)
    settings.SECRET_KEY = "another key for tests alone, in no way a secret of anybody"
    make_events(1)
    send()
    assert fresh(endpoint).resume_at is not None
    client.force_login(administrator)
    shown = client.post(reverse("admin:webhooks_webhookendpoint_secret", args=[endpoint.pk])).content.decode()
    page = client.get(reverse("admin:webhooks_webhookendpoint_change", args=[endpoint.pk])).content.decode()
    assert "the one before" not in shown
    assert "the one before, too" not in page
    send()
    (received,) = listener.received
    assert len(signatures(received)) == 1
    assert not is_signed(received, old)


def test_the_check_by_hand_refuses_nonsense(is_genuine: IsGenuine) -> None:
    sent = {"webhook-id": "a", "webhook-timestamp": str(int(time.time())), "webhook-signature": "v1,é"}
    for headers in (sent, sent | {"webhook-timestamp": "x"}, sent | {"webhook-timestamp": "²"}, {}):
        assert not is_genuine("whsec_" + "A" * 44, headers, b"")
