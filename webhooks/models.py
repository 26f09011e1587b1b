"""Where events are sent, and how each delivery went."""

from __future__ import annotations

import datetime

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone

from conversations.ids import uuid7
from conversations.models import Event
from webhooks.addresses import LONGEST_URL

PATIENCE = datetime.timedelta(days=3)
"""How long a delivery is tried."""
TEST_KIND = "webhook.test"


class WebhookEndpoint(models.Model):
    """An address of another system. Its events are sent one after the other, by one sender at a time."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False, db_comment="UUID version 7.")
    name = models.CharField(max_length=100, unique=True, db_comment="What the back office calls it.")
    url = models.CharField(max_length=LONGEST_URL, db_comment="Where deliveries go.")
    kinds = ArrayField(
        models.CharField(max_length=40),
        default=list,
        blank=True,
        db_comment="Kinds of events that are sent; empty: all, also later ones.",
    )
    is_enabled = models.BooleanField(
        default=True, db_comment="Otherwise nothing is sent; what comes meanwhile is sent when it is enabled again."
    )
    secret = models.TextField(editable=False, db_comment="What deliveries are signed with, encrypted.")
    former_secrets = ArrayField(
        models.TextField(),
        default=list,
        editable=False,
        db_comment="Secrets before it that deliveries are signed with as well, encrypted.",
    )
    former_until = models.DateTimeField(null=True, editable=False, db_comment="Until when they are.")
    cursor = models.BigIntegerField(
        default=0, editable=False, db_comment="The last event of which a delivery was planned; it may be set back."
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False, db_comment="When it was made.")
    holder = models.UUIDField(null=True, editable=False, db_comment="Which sender holds it; another changes nothing.")
    held_until = models.DateTimeField(null=True, editable=False, db_comment="Until when, unless it shows itself again.")
    pauses = models.PositiveIntegerField(
        default=0, editable=False, db_comment="How often sending had to pause since something was delivered last."
    )
    resume_at = models.DateTimeField(null=True, editable=False, db_comment="Until when it pauses.")
    problem = models.CharField(max_length=500, blank=True, editable=False, db_comment="Why, as people are told.")
    troubled_at = models.DateTimeField(
        null=True, editable=False, db_comment="Since when nothing can be delivered; empty: nothing is known against it."
    )
    gave_up_at = models.DateTimeField(
        null=True, editable=False, db_comment="When a delivery was given up, where none has arrived since."
    )

    class Meta:
        db_table_comment = "Addresses of other systems to which events are sent."
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def signing_secrets(self) -> list[str]:
        """What deliveries are signed with now, encrypted; the newest first."""
        is_overlapping = self.former_until is not None and self.former_until > timezone.now()
        return [self.secret, *self.former_secrets] if is_overlapping else [self.secret]

    def takes(self, kind: str) -> bool:
        """Whether events of a kind are sent to it."""
        return not self.kinds or kind in self.kinds


class WebhookDelivery(models.Model):
    """One event for one endpoint, tried until it arrives or its time is over. A test has no event."""

    class State(models.TextChoices):
        PENDING = "pending", "Pending"
        DELIVERED = "delivered", "Delivered"
        FAILED = "failed", "Failed"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False, db_comment="UUID version 7.")
    endpoint = models.ForeignKey(
        WebhookEndpoint, on_delete=models.PROTECT, related_name="deliveries", db_comment="Where it goes."
    )
    seq = models.BigIntegerField(db_comment="Number of the event; 0: a test.")
    kind = models.CharField(max_length=40, db_comment="Its kind.")
    conversation_id = models.UUIDField(
        null=True, db_comment="The conversation that it is about, which may be removed by now; empty: a test."
    )
    state = models.CharField(max_length=9, choices=State, default=State.PENDING, db_comment="Where it stands.")
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_comment="Who asked for a test, or for it once more.",
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False, db_comment="When it was planned.")
    due_at = models.DateTimeField(default=timezone.now, db_comment="When it is tried next.")
    give_up_at = models.DateTimeField(db_comment="From when on a try in vain is the last.")
    tries = models.PositiveIntegerField(default=0, db_comment="How often it was tried.")
    tried_at = models.DateTimeField(null=True, db_comment="When it was tried last.")
    ended_at = models.DateTimeField(null=True, db_comment="When it arrived or was given up.")
    status_code = models.PositiveSmallIntegerField(null=True, db_comment="What the last answer's status was.")
    milliseconds = models.PositiveIntegerField(null=True, db_comment="How long the last try took.")
    answer = models.TextField(blank=True, db_comment="The beginning of the last answer, up to 1 KB.")
    problem = models.CharField(max_length=500, blank=True, db_comment="Why the last try was in vain.")

    class Meta:
        db_table_comment = "Events on their way to endpoints: the log of deliveries."
        default_permissions = ()
        verbose_name_plural = "webhook deliveries"
        indexes = [
            models.Index(fields=["endpoint", "id"], name="webhook_delivery_endpoint"),
            models.Index(fields=["endpoint", "state", "id"], name="webhook_delivery_both"),
            models.Index(fields=["state", "id"], name="webhook_delivery_state"),
            models.Index(fields=["conversation_id"], name="webhook_delivery_conversation"),
            models.Index(fields=["seq"], name="webhook_delivery_seq"),
            models.Index(fields=["ended_at"], name="webhook_delivery_ended"),
            models.Index(
                fields=["endpoint", "conversation_id", "seq"],
                condition=Q(state="pending"),
                name="webhook_delivery_order",
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["endpoint", "seq"], condition=Q(state="pending"), name="one_pending_delivery_of_an_event"
            ),
            models.CheckConstraint(
                condition=Q(state="pending", ended_at__isnull=True) | (~Q(state="pending") & Q(ended_at__isnull=False)),
                name="webhook_delivery_ended_or_pending",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} to {self.endpoint}"

    @property
    def is_test(self) -> bool:
        return self.seq == 0

    def event(self) -> Event | None:
        """Return the event; None of a test."""
        return None if self.is_test else Event.objects.get(pk=self.seq)
