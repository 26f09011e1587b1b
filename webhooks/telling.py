"""What other systems are told of an event: the same in the feed and in a delivery."""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.urls import reverse

from conversations.models import Event
from conversations.services.canonical import moment
from webhooks.models import TEST_KIND, WebhookDelivery


def told(event: Event, *, everyone: bool) -> dict[str, Any]:
    """Return an event as JSON values. Of a concluded conversation it says where its sealed document can be had.

    With `everyone` that address is for tokens that may read what others wrote, otherwise for the owner's own.
    """
    data = dict(event.data)
    if event.kind == Event.Kind.CONVERSATION_CONCLUDED:
        address = settings.PUBLIC_URL + reverse("api:document", args=[event.conversation_id])
        address += "?everyone=true" if everyone else ""
        data["document"] = {**data.get("document", {}), "url": address}
    return {
        "id": str(event.uid),
        "seq": event.seq,
        "kind": event.kind,
        "created_at": moment(event.created_at),
        "conversation": str(event.conversation_id),
        "data": data,
    }


def parcel_of(delivery: WebhookDelivery) -> tuple[str, bytes]:
    """Return the id and the body of a delivery: the same at each try, and wherever else the event is sent."""
    event = delivery.event()
    if event is None:
        test = {"id": str(delivery.pk), "kind": TEST_KIND, "created_at": moment(delivery.created_at), "data": {}}
        return str(delivery.pk), _encode(test)
    return str(event.uid), _encode(told(event, everyone=True))


def _encode(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
