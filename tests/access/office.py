"""What the back office holds beside the record: exports, reviews, retention, and webhooks."""

from __future__ import annotations

import datetime
import hashlib
import io
from dataclasses import dataclass

from django.db.models import Model
from django.utils import timezone

from accounts.models import User
from conversations.files import storage
from conversations.ids import uuid7
from conversations.models import Conversation, Event
from records.models import (
    BulkExport,
    BulkExportPart,
    LegalHold,
    RetentionPolicy,
    RetentionRun,
    Review,
    ReviewLabel,
    ReviewPolicy,
    ReviewReason,
    Tombstone,
)
from webhooks.models import WebhookDelivery, WebhookEndpoint
from webhooks.services import equip


@dataclass(frozen=True)
class Exports:
    """An export that is under way, and a part of one that can be had."""

    running: BulkExport
    part: BulkExportPart

    @classmethod
    def of(cls, person: User, secret: str) -> Exports:
        running = BulkExport.objects.create(requested_by=person, reason="Case 17", state="running")
        until = timezone.now() + datetime.timedelta(days=7)
        done = BulkExport.objects.create(
            requested_by=person, reason="Case 17", state="done", finished_at=timezone.now(), expires_at=until
        )
        data, key = secret.encode(), storage.new_key()
        sha256 = hashlib.sha256(data).hexdigest()
        storage.put(key, io.BytesIO(data), size=len(data), sha256=sha256, content_type="application/x-ndjson")
        part = BulkExportPart.objects.create(
            export=done,
            kind="conversations",
            name="conversations-00001.jsonl",
            bucket=storage.bucket(),
            key=key,
            size=len(data),
            sha256=sha256,
            written_at=timezone.now(),
        )
        return cls(running, part)


@dataclass(frozen=True)
class Reviews:
    """What waits for a reviewer, and what one has claimed."""

    waiting: Review
    claimed: Review
    policy: ReviewPolicy
    label: ReviewLabel

    @classmethod
    def of(cls, one: Conversation, other: Conversation, reviewer: User) -> Reviews:
        policy = ReviewPolicy.objects.create(name="Refusals", kind="refused")
        waiting = Review.objects.create(conversation=one)
        ReviewReason.objects.create(review=waiting, policy=policy, at=timezone.now())
        claimed = Review.objects.create(
            conversation=other,
            state="claimed",
            claimed_by=reviewer,
            claimed_at=timezone.now(),
        )
        return cls(waiting, claimed, policy, ReviewLabel.objects.create(name="Tone"))


@dataclass(frozen=True)
class Retention:
    """A hold in force, a policy, and an erasure that has ended with its tombstone."""

    hold: LegalHold
    policy: RetentionPolicy
    erasure: RetentionRun
    tombstone: Tombstone

    @classmethod
    def of(cls, held: User, by: User) -> Retention:
        now = timezone.now()
        erasure = RetentionRun.objects.create(
            kind="erasure", person_id=0, requested_by=by, reason="Case 17", state="done", finished_at=now
        )
        counts = ("messages", "generations", "attachments", "attachment_bytes", "input_tokens", "output_tokens")
        tombstone = Tombstone.objects.create(
            conversation_id=uuid7(),
            run=erasure,
            owner_id=0,
            assistant_id=0,
            created_at=now,
            last_activity_at=now,
            cost=0,
            unpriced_calls=0,
            removed_at=now,
            **dict.fromkeys(counts, 1),
        )
        hold = LegalHold.objects.create(user=held, placed_by=by, reason="Case 17")
        return cls(hold, RetentionPolicy.objects.create(name="A year", days=365), erasure, tombstone)

    def rows(self) -> dict[str, Model]:
        """Each by its kind, as addresses name it."""
        return {row._meta.model_name or "": row for row in (self.hold, self.policy, self.erasure, self.tombstone)}


def make_webhook(event: Event) -> WebhookDelivery:
    """An endpoint to which an event was sent, in vain."""
    endpoint = WebhookEndpoint(name="CRM", url="https://crm.example.com/")
    equip(endpoint=endpoint)
    endpoint.save(force_insert=True)
    now = timezone.now()
    return WebhookDelivery.objects.create(
        endpoint=endpoint,
        seq=event.seq,
        kind=event.kind,
        conversation_id=event.conversation_id,
        state="failed",
        give_up_at=now,
        ended_at=now,
    )
