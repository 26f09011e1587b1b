"""Files of prompts that the worker answers when nothing else is to be done, each prompt as a conversation."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import TYPE_CHECKING, Self
from uuid import UUID

from django.conf import settings
from django.db import models
from django.db.models import Count, Q
from django.utils import timezone

from conversations.ids import uuid7

if TYPE_CHECKING:
    from accounts.models import User

MOST_LINES = 50_000
MOST_BYTES = 20_000_000
KEPT = datetime.timedelta(days=30)
"""How long the results of a batch that has ended can be had; the conversations stay."""


class BatchQuerySet(models.QuerySet["Batch"]):
    def visible_to(self, user: User) -> Self:
        """Return the batches that `user` may see and steer: their own."""
        return self.filter(owner=user)


class Batch(models.Model):
    """A file of prompts on its way through the worker. Its lines go 30 days after it ended; the row stays."""

    class State(models.TextChoices):
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        CANCELLED = "cancelled", "Cancelled"
        EXPIRED = "expired", "Expired"

    ENDED = (State.DONE, State.CANCELLED)

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False, db_comment="UUID version 7.")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="batches",
        db_comment="Whose prompts these are; the conversations become theirs, and their limits hold.",
    )
    assistant = models.ForeignKey(
        "conversations.Assistant", on_delete=models.PROTECT, related_name="+", db_comment="Who answers."
    )
    name = models.CharField(max_length=100, db_comment="What its owner calls it.")
    client_token = models.UUIDField(
        null=True, db_comment="Made from the client's Idempotency-Key: a batch that is sent twice is one."
    )
    state = models.CharField(max_length=9, choices=State, default=State.RUNNING, db_comment="Where it stands.")
    total = models.PositiveIntegerField(db_comment="How many prompts it has.")
    counts = models.JSONField(
        default=dict, db_comment="Of a batch that has ended: how many of its prompts came to which end."
    )
    paused_until = models.DateTimeField(
        null=True,
        db_comment="Nothing of it begins before then: a limit is reached, or the model service is in trouble.",
    )
    problem = models.CharField(
        max_length=500, blank=True, db_comment="Why it pauses or was ended early, as its owner is told."
    )
    troubles = models.PositiveSmallIntegerField(
        default=0, db_comment="How often in a row the model service failed; then one prompt at a time is tried."
    )
    served_at = models.DateTimeField(
        null=True, db_comment="When a prompt of it last began, so that batches take turns."
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False, db_comment="When it was given.")
    ended_at = models.DateTimeField(null=True, db_comment="When it last ended.")
    expires_at = models.DateTimeField(null=True, db_comment="When its lines are removed.")

    objects = BatchQuerySet.as_manager()

    class Meta:
        db_table_comment = "Files of prompts that the worker answers."
        default_permissions = ()
        verbose_name_plural = "batches"
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["running", "done", "cancelled", "expired"]), name="batch_state_is_known"
            ),
            models.CheckConstraint(
                condition=Q(state="running") | Q(ended_at__isnull=False, expires_at__isnull=False),
                name="ended_batch_has_its_times",
            ),
        ]
        indexes = [
            models.Index(fields=["owner", "-id"], name="batch_of_owner"),
            models.Index(fields=["id"], condition=Q(state="running"), name="batch_running"),
            models.Index(fields=["expires_at"], condition=Q(state__in=["done", "cancelled"]), name="batch_expiring"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_running(self) -> bool:
        return self.state == self.State.RUNNING

    @property
    def is_paused(self) -> bool:
        """Whether it waits for a limit or for the model service."""
        return self.is_running and self.paused_until is not None and self.paused_until > timezone.now()


class BatchItem(models.Model):
    """A prompt of a batch. Its text is here only until it is said in a conversation."""

    class Status(models.TextChoices):
        WAITING = "waiting", "Waiting"
        RUNNING = "running", "Running"
        COMPLETED = "completed", "Completed"
        INCOMPLETE = "incomplete", "Cut off"
        REFUSED = "refused", "Refused"
        STOPPED = "stopped", "Stopped"
        FAILED = "failed", "Failed"
        INTERRUPTED = "interrupted", "Interrupted"
        REMOVED = "removed", "Removed"

    AGAIN = (Status.STOPPED, Status.FAILED, Status.INTERRUPTED)
    """What is asked once more when a batch that has ended is gone on with."""

    batch = models.ForeignKey(
        Batch, on_delete=models.CASCADE, related_name="items", db_index=False, db_comment="The batch."
    )
    number = models.PositiveIntegerField(db_comment="The line of the file that it began on.")
    custom_id = models.CharField(max_length=100, db_comment="What its owner knows it by.")
    prompt = models.TextField(blank=True, db_comment="The prompt, until it is said in a conversation.")
    status = models.CharField(
        max_length=11, choices=Status, default=Status.WAITING, db_comment="Where it stands; of its answer, once ended."
    )
    tries = models.PositiveSmallIntegerField(
        default=0,
        db_comment="How many answers were begun for it; beyond the first those do not count that an outage failed.",
    )
    conversation = models.ForeignKey(
        "conversations.Conversation",
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_comment="The conversation that it became; empty: none yet, or removed.",
    )
    message = models.ForeignKey(
        "conversations.Message",
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_comment="Its newest answer there.",
    )
    error_code = models.CharField(max_length=40, blank=True, db_comment="Why it became no conversation, as a code.")
    error_text = models.CharField(max_length=500, blank=True, db_comment="The same, as its owner is told.")

    class Meta:
        db_table_comment = "Prompts of batches."
        default_permissions = ()
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["batch", "number"], name="one_item_per_line"),
            models.UniqueConstraint(fields=["batch", "custom_id"], name="one_item_per_custom_id"),
            models.CheckConstraint(
                condition=Q(
                    status__in=[
                        "waiting",
                        "running",
                        "completed",
                        "incomplete",
                        "refused",
                        "stopped",
                        "failed",
                        "interrupted",
                        "removed",
                    ]
                ),
                name="item_status_is_known",
            ),
            models.CheckConstraint(
                condition=Q(conversation__isnull=True) | Q(prompt=""), name="what_was_said_is_in_the_conversation_alone"
            ),
            models.CheckConstraint(
                condition=~Q(status="running") | Q(message__isnull=False), name="running_item_has_its_answer"
            ),
        ]
        indexes = [
            models.Index(fields=["batch", "tries", "number"], condition=Q(status="waiting"), name="batch_item_waiting"),
            models.Index(fields=["batch"], condition=Q(status="running"), name="batch_item_running"),
            models.Index(fields=["batch", "status"], name="batch_item_by_status"),
        ]

    def __str__(self) -> str:
        return self.custom_id


def counts_of(batches: Sequence[Batch]) -> dict[UUID, dict[str, int]]:
    """Return how many prompts of each batch stand where, in one query; of those that have ended it is on record."""
    found: dict[UUID, dict[str, int]] = {}
    for batch in batches:
        found[batch.pk] = {} if batch.is_running else batch.counts
    running = [batch.pk for batch in batches if batch.is_running]
    rows = BatchItem.objects.filter(batch__in=running).order_by().values_list("batch", "status")
    for batch_id, status, number in rows.annotate(number=Count("*")) if running else ():
        found[batch_id][status] = number
    return found
