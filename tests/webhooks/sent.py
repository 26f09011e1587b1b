"""Endpoints, events, and what listeners make of what they are sent."""

from __future__ import annotations

import asyncio
import base64
import datetime
import hashlib
import hmac
from typing import Any

from django.apps import apps
from django.db import connections, models, transaction
from django.db.models import F

from accounts.models import User
from conversations.models import Conversation, Event
from conversations.services.events import emit
from tests.factories import make_assistant, make_user
from tests.fakes.listener import Listener, Received
from webhooks.live.sending import send_waiting
from webhooks.models import WebhookDelivery, WebhookEndpoint
from webhooks.services import equip

DELIVERED, PENDING, FAILED = "delivered", "pending", "failed"


def make_endpoint(url: str, **fields: Any) -> tuple[WebhookEndpoint, str]:
    """An endpoint, and its secret."""
    endpoint = WebhookEndpoint(**{"name": f"System at {url}", "url": url} | fields)
    secret = equip(endpoint=endpoint)
    endpoint.save(force_insert=True)
    return endpoint, secret


def make_conversations(count: int, owner: User | None = None) -> list[Conversation]:
    owner, assistant = owner or make_user(), make_assistant()
    return [Conversation.objects.create(owner=owner, assistant=assistant, title="Events") for _ in range(count)]


def tell(conversation: Conversation, kind: str = "conversation.concluded") -> Event:
    """Write an event as a service does."""
    with transaction.atomic():
        return emit(kind=kind, conversation=conversation, data={"conversation": str(conversation.pk)})


def make_events(count: int, owner: User | None = None) -> list[Event]:
    return [tell(conversation) for conversation in make_conversations(count, owner)]


def send() -> None:
    """Do once what the worker does every few seconds."""
    asyncio.run(send_waiting())
    connections.close_all()


def pass_time(**by: float) -> None:
    """Let everything that webhooks know of be longer ago."""
    span = datetime.timedelta(**by)
    for model in apps.get_app_config("webhooks").get_models():
        times = [field.name for field in model._meta.local_fields if isinstance(field, models.DateTimeField)]
        model._default_manager.update(**{name: F(name) - span for name in times})


def is_signed(received: Received, secret: str) -> bool:
    """Check a request as standardwebhooks.com describes it, with no line of ours."""
    signed = f"{received.id}.{received.headers['webhook-timestamp']}.".encode() + received.body
    digest = hmac.new(base64.b64decode(secret.removeprefix("whsec_")), signed, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode() in received.headers["webhook-signature"].split(" ")


def numbers(listener: Listener) -> list[int]:
    """The numbers of the events that came in, in the order in which they came."""
    return [received.told["seq"] for received in listener.received]


def standings(endpoint: WebhookEndpoint) -> list[tuple[int, str]]:
    """Each delivery's event and where it stands."""
    return list(WebhookDelivery.objects.filter(endpoint=endpoint).order_by("seq", "id").values_list("seq", "state"))


def fresh(endpoint: WebhookEndpoint) -> WebhookEndpoint:
    """An endpoint as it is by now."""
    return WebhookEndpoint.objects.get(pk=endpoint.pk)
