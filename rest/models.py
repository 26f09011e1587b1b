"""What the API remembers of requests: how many there were, and what those with an Idempotency-Key were answered."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone


class IdempotentRequest(models.Model):
    """A POST with an Idempotency-Key. Kept for a day, so that the same request again gets the same answer."""

    class State(models.TextChoices):
        RUNNING = "running", "running"
        ANSWERED = "answered", "answered"
        OPEN = "open", "open"

    id = models.BigAutoField(primary_key=True, db_comment="Id of the row.")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", db_comment="Who asked; keys are theirs alone."
    )
    key = models.CharField(max_length=255, db_comment="The header Idempotency-Key.")
    method = models.CharField(max_length=10, db_comment="The method of the request, always POST so far.")
    path = models.CharField(max_length=500, db_comment="Where it went, in its canonical spelling.")
    fingerprint = models.CharField(max_length=64, db_comment="SHA-256 of what it said, in hex; never the text.")
    state = models.CharField(
        max_length=10,
        choices=State,
        default=State.RUNNING,
        db_comment="running, answered, or open: it may be carried out again, as what it does is done only once.",
    )
    attempt = models.UUIDField(default=uuid.uuid4, db_comment="Of who carries it out; a later one takes it over.")
    seen_at = models.DateTimeField(default=timezone.now, db_comment="When who carries it out last gave a sign of life.")
    status = models.SmallIntegerField(null=True, blank=True, db_comment="HTTP status of the answer.")
    headers = models.JSONField(default=dict, db_comment="Headers of the answer that belong to what it says.")
    body = models.BinaryField(null=True, blank=True, db_comment="The answer, byte for byte; it goes after a day.")
    created_at = models.DateTimeField(default=timezone.now, db_comment="When the key was first used.")

    class Meta:
        db_table_comment = "Requests with an Idempotency-Key of the last day, and their answers."
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="one_request_per_key")]
        indexes = [models.Index(fields=["created_at"], name="idempotent_by_time")]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


class Allowance(models.Model):
    """How many requests a token or a person has made in the running minute. Unlogged: after a crash it is empty."""

    pk = models.CompositePrimaryKey("subject", "kind")
    subject = models.CharField(max_length=60, db_comment="Whose requests: token:<id>, session:<person> or user:<id>.")
    kind = models.CharField(max_length=10, db_comment="What is counted: requests or answers.")
    began_at = models.DateTimeField(db_comment="When the running minute began: with its first request.")
    used = models.IntegerField(db_comment="How many there were in it.")

    class Meta:
        db_table_comment = "Requests of the running minute, to refuse those that are too many."
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.subject} {self.kind}"
