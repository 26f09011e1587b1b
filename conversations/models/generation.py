"""The record of each model call."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Q
from django.utils import timezone

from conversations.ids import uuid7

if TYPE_CHECKING:
    from accounts.models import User


class GenerationQuerySet(models.QuerySet["Generation"]):
    def visible_to(self, user: User) -> Self:
        """Return the model calls that `user` may see: those made for their own conversations."""
        return self.filter(conversation__owner=user, conversation__hidden_at__isnull=True)


class Generation(models.Model):
    """One model call: what was asked of whom, what came of it, what it cost.

    A row is made before the call; a call that was never made has no `started_at`.
    """

    class Purpose(models.TextChoices):
        ANSWER = "answer", "Answer"
        TITLE = "title", "Title"
        PREVIEW = "preview", "Preview"
        TEST = "test", "Test"

    class Status(models.TextChoices):
        PENDING = "pending", "Pending"
        RUNNING = "running", "Running"
        COMPLETED = "completed", "Completed"
        INCOMPLETE = "incomplete", "Cut off"
        REFUSED = "refused", "Refused"
        STOPPED = "stopped", "Stopped"
        FAILED = "failed", "Failed"
        INTERRUPTED = "interrupted", "Interrupted"

    class UsageSource(models.TextChoices):
        EXACT = "exact", "Exact"
        ESTIMATED = "estimated", "Estimated"

    OPEN = (Status.PENDING, Status.RUNNING)

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False, db_comment="UUID version 7.")
    purpose = models.CharField(max_length=10, choices=Purpose, db_comment="What the call was made for.")
    conversation = models.ForeignKey(
        "Conversation",
        null=True,
        on_delete=models.PROTECT,
        related_name="generations",
        db_comment="The conversation it was made for.",
    )
    message = models.ForeignKey(
        "Message",
        null=True,
        on_delete=models.PROTECT,
        related_name="generations",
        db_comment="The answer it was made for; empty for titles, previews and tests.",
    )
    step = models.PositiveSmallIntegerField(default=1, db_comment="Which call of an answer that takes several.")
    attempt = models.PositiveSmallIntegerField(default=1, db_comment="Which try of that call.")
    job_id = models.BigIntegerField(null=True, db_comment="The job that makes the call.")
    status = models.CharField(
        max_length=12, choices=Status, default=Status.PENDING, db_comment="Where the call stands."
    )

    model = models.ForeignKey("LanguageModel", on_delete=models.PROTECT, db_comment="The model asked, as our row.")
    model_asked = models.CharField(max_length=100, db_comment="The model's name as sent.")
    model_answered = models.CharField(
        max_length=100, blank=True, db_comment="The model's name as the provider gave it."
    )
    instructions = models.TextField(blank=True, db_comment="The instructions as sent.")
    parameters = models.JSONField(default=dict, db_comment="The rest of the request as sent, without the messages.")
    first_message = models.ForeignKey(
        "Message",
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_comment="The oldest message that was sent; the path from it to the answer's parent is the input.",
    )
    omitted_messages = models.PositiveIntegerField(
        default=0, db_comment="How many older messages did not fit the context window and were left out."
    )
    response_id = models.CharField(max_length=200, blank=True, db_comment="The provider's id of the response.")
    request_id = models.CharField(max_length=200, blank=True, db_comment="The provider's id of the HTTP request.")

    input_tokens = models.PositiveIntegerField(null=True, db_comment="Tokens of the input, cached ones included.")
    cached_tokens = models.PositiveIntegerField(null=True, db_comment="Input tokens that the provider had cached.")
    output_tokens = models.PositiveIntegerField(null=True, db_comment="Tokens of the output, reasoning included.")
    reasoning_tokens = models.PositiveIntegerField(null=True, db_comment="Output tokens spent on reasoning.")
    usage_source = models.CharField(
        max_length=10, choices=UsageSource, blank=True, db_comment="Exact: from the provider. Empty: unknown."
    )
    price = models.ForeignKey(
        "ModelPrice", null=True, on_delete=models.PROTECT, db_comment="The price that the cost was reckoned with."
    )
    cost = models.DecimalField(
        max_digits=14, decimal_places=8, null=True, db_comment="US dollars; empty: unknown, which is not 0."
    )

    reserved_tokens = models.PositiveIntegerField(
        default=0, db_comment="Tokens held free for it in its owner's limits while it is open: the most it may take."
    )
    reserved_cost = models.DecimalField(
        max_digits=14, decimal_places=8, default=0, db_comment="US dollars held free in the same way."
    )

    finish_reason = models.CharField(max_length=60, blank=True, db_comment="Why it was cut off, as the provider says.")
    error_code = models.CharField(max_length=40, blank=True, db_comment="Why it failed, as a code.")
    error_detail = models.TextField(
        blank=True, db_comment="Why it failed, in the provider's words, for administrators."
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False, db_comment="When the call was planned.")
    started_at = models.DateTimeField(null=True, db_comment="When the request was sent.")
    first_text_at = models.DateTimeField(null=True, db_comment="When the first text arrived.")
    finished_at = models.DateTimeField(null=True, db_comment="When the call ended, however it did.")

    objects = GenerationQuerySet.as_manager()

    class Meta:
        db_table_comment = "Model calls, one row each."
        default_permissions = ()
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(purpose__in=["answer", "title", "preview", "test"]), name="generation_purpose_is_known"
            ),
            models.CheckConstraint(
                condition=Q(
                    status__in=[
                        "pending",
                        "running",
                        "completed",
                        "incomplete",
                        "refused",
                        "stopped",
                        "failed",
                        "interrupted",
                    ]
                ),
                name="generation_status_is_known",
            ),
            models.CheckConstraint(
                condition=Q(usage_source__in=["", "exact", "estimated"]), name="usage_source_is_known"
            ),
            models.UniqueConstraint(fields=["message", "step", "attempt"], name="one_generation_per_attempt"),
        ]
        indexes = [
            models.Index(fields=["created_at"], condition=Q(status__in=["pending", "running"]), name="generation_open"),
            models.Index(fields=["started_at"], name="generation_by_start"),
        ]

    def __str__(self) -> str:
        return f"{self.get_purpose_display()} by {self.model_asked}"

    @staticmethod
    def has_used(status: str, started_at: datetime.datetime | None, output_tokens: int | None) -> bool:
        """Tell whether a call that ended used something, or may have: one that failed before its answer did not."""
        return started_at is not None and (status != Generation.Status.FAILED or output_tokens is not None)
