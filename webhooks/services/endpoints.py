"""What administrators do with endpoints: secrets, tests, and events that are sent once more."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from audit import services as audit
from conversations.models import Event
from conversations.services import Refusal, Refused
from webhooks.keys import conceal, is_readable, make_secret
from webhooks.models import PATIENCE, TEST_KIND, WebhookDelivery, WebhookEndpoint
from webhooks.services import jobs

if TYPE_CHECKING:
    from accounts.models import User

OBJECT_TYPE = "webhookendpoint"
OVERLAP = datetime.timedelta(days=1)
"""For how long deliveries are signed with the secrets before a new one, too."""
MOST_FORMER = 3
"""How many secrets may sign beside the present one."""
KEPT = datetime.timedelta(days=90)
"""For how long the log keeps deliveries that have ended."""
BATCH = 5000


def equip(*, endpoint: WebhookEndpoint) -> str:
    """Give an endpoint that is about to be saved for the first time its secret, and return that: it is shown once.

    Events from now on are sent to it; earlier ones where somebody asks for them.
    """
    secret = make_secret()
    endpoint.secret = conceal(secret)
    endpoint.cursor = Event.objects.aggregate(last=Max("seq"))["last"] or 0
    return secret


def make_new_secret(*, endpoint: WebhookEndpoint, made_by: User) -> str:
    """Have deliveries signed with a new secret from the next try on, and return it: it is shown once.

    For a day they are signed with those before it as well, so that the listener can be given it in peace. An endpoint
    that paused, because its secret could no longer be read perhaps, is tried at once.

    Raises Refused (limit) while four sign: the listener may have the oldest of them still.
    """
    secret = make_secret()
    with transaction.atomic():
        endpoint = _lock(endpoint)
        former_secrets = [former for former in endpoint.signing_secrets if is_readable(former)]
        if len(former_secrets) > MOST_FORMER:
            raise Refused(
                Refusal.LIMIT,
                f"Deliveries are signed with {len(former_secrets)} secrets already. "
                f"Another one can be made after {timezone.localtime(endpoint.former_until):%-d %B %Y, %H:%M}.",
            )
        endpoint.former_secrets = former_secrets
        endpoint.former_until = timezone.now() + OVERLAP if endpoint.former_secrets else None
        endpoint.secret = conceal(secret)
        endpoint.resume_at = None
        endpoint.save(update_fields=["secret", "former_secrets", "former_until", "resume_at"])
        now = timezone.now()
        waiting = WebhookDelivery.objects.filter(endpoint=endpoint, state=WebhookDelivery.State.PENDING, due_at__gt=now)
        waiting.update(due_at=now)
        jobs.defer_sending()
        audit.record(kind="webhook.secret_made", actor=made_by, object_type=OBJECT_TYPE, object_id=endpoint.pk)
    return secret


def send_test(*, endpoint: WebhookEndpoint, asked_by: User) -> WebhookDelivery:
    """Have a test sent now, also where the endpoint pauses or is disabled. One that still waits is the same test."""
    with transaction.atomic():
        endpoint = _lock(endpoint)
        now = timezone.now()
        delivery, is_new = WebhookDelivery.objects.get_or_create(
            endpoint=endpoint,
            seq=0,
            state=WebhookDelivery.State.PENDING,
            defaults={"kind": TEST_KIND, "asked_by": asked_by, "give_up_at": now},
        )
        if not is_new:
            delivery.due_at = now
            delivery.save(update_fields=["due_at"])
        endpoint.resume_at = None
        endpoint.save(update_fields=["resume_at"])
        jobs.defer_sending()
        audit.record(kind="webhook.tested", actor=asked_by, object_type=OBJECT_TYPE, object_id=endpoint.pk)
    return delivery


def replay_from(*, endpoint: WebhookEndpoint, seq: int, asked_by: User) -> int:
    """Have all events from number `seq` on sent once more, under their ids; return how many of these have been before.

    Raises Refused (empty) where none that has been sent has that number or a higher one.
    """
    with transaction.atomic():
        endpoint = _lock(endpoint)
        again = Event.objects.filter(seq__gte=seq, seq__lte=endpoint.cursor)
        count = (again.filter(kind__in=endpoint.kinds) if endpoint.kinds else again).count()
        if not count:
            raise Refused(
                Refusal.EMPTY,
                f"There is nothing to send again: the last event behind it has number {endpoint.cursor:,}.",
            )
        endpoint.cursor = seq - 1
        endpoint.save(update_fields=["cursor"])
        jobs.defer_sending()
        audit.record(
            kind="webhook.replayed",
            actor=asked_by,
            object_type=OBJECT_TYPE,
            object_id=endpoint.pk,
            details={"from": seq, "events": count},
        )
    return count


def send_again(*, delivery: WebhookDelivery, asked_by: User) -> WebhookDelivery:
    """Have the event of a delivery sent once more, under its id, and return the new delivery.

    One that still waits is tried at once instead, and a pause of the endpoint ends. Raises Refused (empty) for a test.
    """
    if delivery.is_test:
        raise Refused(Refusal.EMPTY, "A test is not sent again. Send another one.")
    with transaction.atomic():
        endpoint = _lock(delivery.endpoint)
        again, is_new = WebhookDelivery.objects.get_or_create(
            endpoint=endpoint,
            seq=delivery.seq,
            state=WebhookDelivery.State.PENDING,
            defaults={
                "kind": delivery.kind,
                "conversation_id": delivery.conversation_id,
                "asked_by": asked_by,
                "give_up_at": timezone.now() + PATIENCE,
            },
        )
        if not is_new:
            again.due_at = timezone.now()
            again.save(update_fields=["due_at"])
        endpoint.resume_at = None
        endpoint.save(update_fields=["resume_at"])
        jobs.defer_sending()
        audit.record(
            kind="webhook.sent_again",
            actor=asked_by,
            object_type=OBJECT_TYPE,
            object_id=endpoint.pk,
            details={"event": delivery.seq},
        )
    return again


def purge_deliveries() -> int:
    """Take up to 5,000 deliveries that ended 90 days ago off the log; return how many. Call it until it returns 0."""
    old = WebhookDelivery.objects.filter(ended_at__lt=timezone.now() - KEPT).order_by("ended_at")
    found = list(old.values_list("pk", flat=True)[:BATCH])
    return WebhookDelivery.objects.filter(pk__in=found).delete()[0]


def forget_former_secrets() -> None:
    """Remove secrets with which nothing is signed any more."""
    over = WebhookEndpoint.objects.filter(former_until__lte=timezone.now())
    over.update(former_secrets=[], former_until=None)


def _lock(endpoint: WebhookEndpoint) -> WebhookEndpoint:
    return WebhookEndpoint.objects.select_for_update(no_key=True).get(pk=endpoint.pk)
