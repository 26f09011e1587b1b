"""Checking what is left of removed conversations: that all of them are accounted for, and as they were written."""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from audit.models import AuditEvent
from conversations.models import Conversation, Event, Message
from conversations.services.canonical import moment
from conversations.services.verifying import Scope
from records.models import RetentionRun, Tombstone

HOURS = 24  # that a removal may take before that is worth a line
TELLING = ("retention.ran", "person.erased", "erasure.failed")
"""The audit events that say what the tombstones of a run come to."""


@dataclass(slots=True)
class RemovedTally:
    """How many tombstones were looked at."""

    tombstones: int = 0


def digest(run: RetentionRun) -> str:
    """Return a hash of all tombstones of a run, in hex; the audit keeps it, so that none is changed or added later."""
    found = hashlib.sha256()
    for tombstone in run.tombstones.order_by("pk").iterator(chunk_size=2000):
        found.update(_line(tombstone))
    return found.hexdigest()


def verify_removed(scope: Scope, tally: RemovedTally) -> Iterator[str]:
    """Yield what is wrong with removals, and count what was looked at; nothing is written."""
    tombstones = Tombstone.objects.order_by("pk")
    if scope.conversation_id:
        tombstones = tombstones.filter(pk=scope.conversation_id)
    if scope.since:
        tombstones = tombstones.filter(begun_at__gte=scope.since)
    tally.tombstones = tombstones.count()
    yield from _find_unfinished(tombstones)
    yield from _find_rows(tombstones)
    yield from _find_unaccounted(scope)
    runs = RetentionRun.objects.filter(is_dry=False).exclude(state=RetentionRun.State.RUNNING)
    if scope.conversation_id:
        runs = runs.filter(pk__in=tombstones.values("run"))
    if scope.since:
        runs = runs.filter(started_at__gte=scope.since)
    for run in runs.order_by("pk"):
        told = AuditEvent.objects.filter(object_type="retentionrun", object_id=str(run.pk), kind__in=TELLING).last()
        if told is None:
            yield f"run {run.pk} has ended, and no audit event tells of it"
        elif told.details.get("tombstones_sha256") != digest(run):
            yield f"run {run.pk} has other tombstones than audit event {told.seq} tells"


def _find_unfinished(tombstones: QuerySet[Tombstone]) -> Iterator[str]:
    long_ago = timezone.now() - datetime.timedelta(hours=HOURS)
    for pk, begun_at in (
        tombstones.filter(removed_at__isnull=True, begun_at__lt=long_ago).values_list("pk", "begun_at").iterator()
    ):
        yield f"{pk} is still being removed, since {begun_at:%Y-%m-%d %H:%M} UTC"


def _find_rows(tombstones: QuerySet[Tombstone]) -> Iterator[str]:
    """Name what was removed and is there: the conversation, or messages of it."""
    concluded = Event.objects.filter(conversation_id=OuterRef("pk"), kind=Event.Kind.CONVERSATION_CONCLUDED)
    back = tombstones.filter(removed_at__isnull=False).annotate(
        has_row=Exists(Conversation.every.filter(pk=OuterRef("pk"))),
        has_messages=Exists(Message.objects.filter(conversation_id=OuterRef("pk"))),
        told=concluded.values("data__document__sha256")[:1],
    )
    for tombstone in back.iterator(chunk_size=2000):
        if tombstone.has_row or tombstone.has_messages:
            yield f"{tombstone.pk} was removed, and rows of it are there"
        if tombstone.told is not None and tombstone.told != tombstone.sealed_sha256:
            yield f"{tombstone.pk} had another sealed document than its event told"


def _find_unaccounted(scope: Scope) -> Iterator[str]:
    """Name the concluded conversations that are gone without a tombstone."""
    events = Event.objects.filter(kind=Event.Kind.CONVERSATION_CONCLUDED)
    if scope.conversation_id:
        events = events.filter(conversation_id=scope.conversation_id)
    if scope.since:
        events = events.filter(created_at__gte=scope.since)
    gone = events.exclude(Exists(Conversation.every.filter(pk=OuterRef("conversation_id")))).exclude(
        Exists(Tombstone.objects.filter(pk=OuterRef("conversation_id")))
    )
    for seq, conversation_id in gone.order_by("seq").values_list("seq", "conversation_id").iterator():
        yield f"{conversation_id} is gone, and no tombstone tells why; its event {seq} is there"


def _line(tombstone: Tombstone) -> bytes:
    written = {field.attname: getattr(tombstone, field.attname) for field in tombstone._meta.local_concrete_fields}
    return json.dumps({name: _value(value) for name, value in written.items()}, sort_keys=True).encode() + b"\n"


def _value(value: object) -> object:
    if isinstance(value, datetime.datetime):
        return moment(value)
    return value if isinstance(value, int | list | None) else str(value)
