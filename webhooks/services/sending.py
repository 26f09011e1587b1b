"""Sending what happened: who sends to an endpoint, what comes next, and what came of it.

One sender at a time holds an endpoint and sends one delivery after the other, in the order of the events. Each step
asks whether it still holds it, so that one which was paused and replaced changes nothing when it wakes.
"""

from __future__ import annotations

import datetime
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Exists, Max, OuterRef
from django.db.models.functions import Now
from django.utils import timezone

from conversations.models import Event
from webhooks.keys import LostSecret, reveal
from webhooks.models import PATIENCE, WebhookDelivery, WebhookEndpoint
from webhooks.telling import parcel_of

HOLD = datetime.timedelta(seconds=60)
"""For how long a sender that shows no sign of life keeps an endpoint; longer than one try takes."""
PAUSES = tuple(datetime.timedelta(seconds=pause) for pause in (5, 15, 60, 120, 300, 600, 1200, 1800, 3600))
"""How long to wait after the first try in vain, the second, and so on; then as after the last of these."""
AT_ONCE = 200  # events of which deliveries are planned in one go
MOST_PENDING = 1000  # deliveries of an endpoint that are planned ahead; the feed keeps the rest
ENDPOINTS = 100  # that one sender takes
LOST = "Its secret can no longer be read, because SECRET_KEY is another one now. Make a new secret."

_CLAIM = """
UPDATE webhooks_webhookendpoint
SET holder = %(holder)s, held_until = clock_timestamp() + make_interval(secs => %(hold)s)
WHERE id IN (
    SELECT endpoint.id FROM webhooks_webhookendpoint AS endpoint
    WHERE (endpoint.held_until IS NULL OR endpoint.held_until < clock_timestamp())
        AND (endpoint.resume_at IS NULL OR endpoint.resume_at <= clock_timestamp())
        AND (
            endpoint.is_enabled AND endpoint.cursor < (SELECT max(seq) FROM conversations_event)
            OR EXISTS (
                SELECT FROM webhooks_webhookdelivery AS delivery WHERE delivery.endpoint_id = endpoint.id
                    AND delivery.state = 'pending' AND delivery.due_at <= clock_timestamp()
                    AND (endpoint.is_enabled OR delivery.seq = 0)
            )
        )
    ORDER BY endpoint.id LIMIT %(most)s FOR UPDATE SKIP LOCKED
) RETURNING id
"""


@dataclass(frozen=True)
class Parcel:
    """What is posted where, signed with each of the secrets. Without one, nothing can be."""

    delivery_id: UUID
    url: str
    uid: str
    body: bytes
    secrets: tuple[str, ...]


@dataclass(frozen=True)
class Outcome:
    """What came of a try.

    `is_away`: nobody there takes anything just now, whichever delivery it is, so that the endpoint has to pause.
    Otherwise a problem is this delivery's own, and others go on.
    """

    is_delivered: bool
    is_away: bool = False
    problem: str = ""
    status_code: int | None = None
    answer: str = ""
    milliseconds: int | None = None
    retry_after: int = 0  # seconds, as the endpoint asks


def claim_endpoints(*, holder: UUID) -> list[UUID]:
    """Take up to 100 endpoints for which something waits and that nobody holds, and return them.

    Of several who claim at once each gets others. What a sender that died held can be claimed after a minute.
    """
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, {"holder": holder, "hold": HOLD.seconds, "most": ENDPOINTS})
        return [row[0] for row in cursor.fetchall()]


def next_parcel(*, endpoint_id: UUID, holder: UUID) -> Parcel | None:
    """Return what is to be sent now, counted as tried; None where that is nothing, or the endpoint is another's.

    A delivery waits for those of earlier events of its conversation. The endpoint stays held for another minute.
    """
    with transaction.atomic():
        endpoint = _held(endpoint_id, holder)
        if endpoint is None or (endpoint.resume_at is not None and endpoint.resume_at > timezone.now()):
            return None
        delivery = _due(endpoint)
        if delivery is None and endpoint.is_enabled and _plan(endpoint):
            delivery = _due(endpoint)
        if delivery is None:
            return None
        WebhookEndpoint.objects.filter(pk=endpoint_id).update(held_until=Now() + HOLD)
        delivery.tries, delivery.tried_at = delivery.tries + 1, timezone.now()
        delivery.save(update_fields=["tries", "tried_at"])
        uid, body = parcel_of(delivery)
    return Parcel(delivery.pk, endpoint.url, uid, body, _secrets_of(endpoint))


def _secrets_of(endpoint: WebhookEndpoint) -> tuple[str, ...]:
    """Return what deliveries are signed with; nothing where the present secret can no longer be read."""
    present, *former = endpoint.signing_secrets
    try:
        secrets = [reveal(present)]
    except LostSecret:
        return ()
    for concealed in former:
        with suppress(LostSecret):  # it is the present one that listeners are to have by now
            secrets.append(reveal(concealed))
    return tuple(secrets)


def note_outcome(*, parcel: Parcel, endpoint_id: UUID, holder: UUID, outcome: Outcome, has_to_pause: bool) -> bool:
    """Write down what came of a try, and when the next one is; return False where the endpoint is another's by now.

    Then nothing is written, and the other one sends it again under the same id. With `has_to_pause` the endpoint pauses
    as it does when it is away. Whatever was tried in vain when its three days are over has failed, and the endpoint is
    marked until something arrives.
    """
    with transaction.atomic():
        endpoint = _held(endpoint_id, holder)
        delivery = WebhookDelivery.objects.filter(pk=parcel.delivery_id, state=WebhookDelivery.State.PENDING).first()
        if endpoint is None or delivery is None:
            return False
        delivery.status_code, delivery.milliseconds = outcome.status_code, outcome.milliseconds
        delivery.answer, delivery.problem = outcome.answer, outcome.problem[:500]
        if outcome.is_delivered:
            delivery.state, delivery.ended_at = WebhookDelivery.State.DELIVERED, timezone.now()
            _mark_well(endpoint)
        else:
            _put_off(endpoint, delivery, outcome, is_pausing=outcome.is_away or has_to_pause)
        delivery.save()
    return True


def release_endpoint(*, endpoint_id: UUID, holder: UUID) -> None:
    """Give an endpoint back; nothing happens where it is another's."""
    WebhookEndpoint.objects.filter(pk=endpoint_id, holder=holder).update(holder=None, held_until=None)


def pause_after(times: int) -> datetime.timedelta:
    """Return how long to wait after so many tries in vain."""
    return PAUSES[min(times, len(PAUSES)) - 1]


def _held(endpoint_id: UUID, holder: UUID) -> WebhookEndpoint | None:
    return WebhookEndpoint.objects.select_for_update(no_key=True).filter(pk=endpoint_id, holder=holder).first()


def _due(endpoint: WebhookEndpoint) -> WebhookDelivery | None:
    pending = WebhookDelivery.objects.filter(endpoint=endpoint, state=WebhookDelivery.State.PENDING)
    if not endpoint.is_enabled:
        pending = pending.filter(seq=0)
    earlier = WebhookDelivery.objects.filter(
        endpoint=endpoint,
        state=WebhookDelivery.State.PENDING,
        conversation_id=OuterRef("conversation_id"),
        seq__lt=OuterRef("seq"),
    )
    return pending.filter(~Exists(earlier), due_at__lte=Now()).order_by("seq").first()


def _plan(endpoint: WebhookEndpoint) -> int:
    """Plan deliveries of the events behind the cursor; return of how many. Numbers have no gaps to be skipped.

    The last number is read first, so that what is committed in between is left for the next time.
    """
    pending = WebhookDelivery.objects.filter(endpoint=endpoint, state=WebhookDelivery.State.PENDING)
    room = min(AT_ONCE, MOST_PENDING - pending[:MOST_PENDING].count())
    last = Event.objects.aggregate(last=Max("seq"))["last"] or 0
    if room <= 0 or endpoint.cursor >= last:
        return 0
    events = Event.objects.filter(seq__gt=endpoint.cursor, seq__lte=last).order_by("seq")
    if endpoint.kinds:
        events = events.filter(kind__in=endpoint.kinds)
    found = list(events[:room])
    give_up_at = timezone.now() + PATIENCE
    planned = [
        WebhookDelivery(
            endpoint=endpoint,
            seq=event.seq,
            kind=event.kind,
            conversation_id=event.conversation_id,
            give_up_at=give_up_at,
        )
        for event in found
    ]
    WebhookDelivery.objects.bulk_create(planned, ignore_conflicts=True)  # one that is still pending is enough
    endpoint.cursor = found[-1].seq if len(found) == room else last
    endpoint.save(update_fields=["cursor"])
    return len(found)


def _mark_well(endpoint: WebhookEndpoint) -> None:
    if endpoint.pauses or endpoint.troubled_at or endpoint.gave_up_at or endpoint.resume_at:
        endpoint.pauses, endpoint.problem = 0, ""
        endpoint.resume_at = endpoint.troubled_at = endpoint.gave_up_at = None
        endpoint.save(update_fields=["pauses", "problem", "resume_at", "troubled_at", "gave_up_at"])


def _put_off(endpoint: WebhookEndpoint, delivery: WebhookDelivery, outcome: Outcome, *, is_pausing: bool) -> None:
    now = timezone.now()
    asked_for = datetime.timedelta(seconds=min(outcome.retry_after, int(PAUSES[-1].total_seconds())))
    given_up = 0
    if is_pausing:
        endpoint.pauses += 1
        endpoint.resume_at = now + max(asked_for, pause_after(endpoint.pauses))
        endpoint.problem, endpoint.troubled_at = delivery.problem, endpoint.troubled_at or now
        # What has waited for three days behind this one could not have arrived either. A test is tried once by itself.
        behind = WebhookDelivery.objects.filter(endpoint=endpoint, state=WebhookDelivery.State.PENDING)
        given_up = (
            behind.filter(seq__gt=0, give_up_at__lte=now)
            .exclude(pk=delivery.pk)
            .update(state=WebhookDelivery.State.FAILED, ended_at=now, problem=delivery.problem)
        )
    if delivery.give_up_at <= now:
        delivery.state, delivery.ended_at = WebhookDelivery.State.FAILED, now
        given_up += not delivery.is_test
    elif outcome.is_away and endpoint.resume_at is not None:
        delivery.due_at = endpoint.resume_at
    else:
        delivery.due_at = now + max(asked_for, pause_after(delivery.tries))
    if given_up:
        endpoint.problem, endpoint.gave_up_at = delivery.problem, now
    endpoint.save(update_fields=["pauses", "resume_at", "problem", "troubled_at", "gave_up_at"])
