"""Sums over the record, kept by jobs, so that lists and reports need not read millions of rows."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.utils import timezone

_LATEST = ["-last_activity_at", "-conversation"]  # as lists are ordered: one index tells which rows, and in which order


class Watermark(models.Model):
    """How far a job has come that follows the record."""

    name = models.CharField(max_length=40, primary_key=True, db_comment="The job.")
    at = models.DateTimeField(db_comment="Everything before this moment was taken in.")

    class Meta:
        db_table_comment = "How far jobs that follow the record have come."
        default_permissions = ()

    def __str__(self) -> str:
        return self.name


class ConversationFact(models.Model):
    """What a conversation amounts to. Goes with the conversation; up to a minute behind it."""

    conversation = models.OneToOneField(
        "conversations.Conversation",
        on_delete=models.CASCADE,
        primary_key=True,
        related_name="fact",
        db_comment="The conversation.",
    )
    messages = models.PositiveIntegerField(default=0, db_comment="Prompts and answers, on all branches.")
    answers = models.PositiveIntegerField(default=0, db_comment="Answers.")
    failed = models.PositiveIntegerField(default=0, db_comment="Answers that failed or were interrupted.")
    refused = models.PositiveIntegerField(default=0, db_comment="Answers that the model refused.")
    stopped = models.PositiveIntegerField(default=0, db_comment="Answers that their owner stopped.")
    cut_off = models.PositiveIntegerField(default=0, db_comment="Answers that were cut off.")
    files = models.PositiveIntegerField(default=0, db_comment="Files.")
    thumbs_up = models.PositiveIntegerField(default=0, db_comment="Answers rated good.")
    thumbs_down = models.PositiveIntegerField(default=0, db_comment="Answers rated bad.")
    tokens = models.PositiveBigIntegerField(default=0, db_comment="Tokens of input and output, as far as known.")
    cost = models.DecimalField(
        max_digits=16, decimal_places=8, default=0, db_comment="US dollars, of the calls of known cost."
    )
    unpriced_calls = models.PositiveIntegerField(default=0, db_comment="Calls of unknown cost.")
    model_ids = ArrayField(
        models.BigIntegerField(), default=list, db_comment="Ids of the models that were asked for its answers."
    )
    last_activity_at = models.DateTimeField(
        default=timezone.now, db_comment="When something was last said, as of the reckoning; lists are ordered by it."
    )
    updated_at = models.DateTimeField(db_comment="When it was reckoned.")

    class Meta:
        db_table_comment = "Sums of each conversation, for lists; kept by a job."
        default_permissions = ()
        indexes = [
            models.Index(fields=_LATEST, name="fact_by_activity"),
            models.Index(fields=["-cost", "-conversation"], name="fact_by_cost"),
            models.Index(fields=["-tokens", "-conversation"], name="fact_by_tokens"),
            models.Index(fields=_LATEST, condition=Q(files__gt=0), name="fact_with_files"),
            models.Index(fields=_LATEST, condition=Q(thumbs_up__gt=0), name="fact_rated_good"),
            models.Index(fields=_LATEST, condition=Q(thumbs_down__gt=0), name="fact_rated_bad"),
            models.Index(fields=_LATEST, condition=Q(failed__gt=0), name="fact_failed"),
            models.Index(fields=_LATEST, condition=Q(refused__gt=0), name="fact_refused"),
            models.Index(fields=_LATEST, condition=Q(stopped__gt=0), name="fact_stopped"),
            models.Index(fields=_LATEST, condition=Q(cut_off__gt=0), name="fact_cut_off"),
            GinIndex(fields=["model_ids"], name="fact_by_model"),
        ]

    def __str__(self) -> str:
        return f"Sums of {self.conversation_id}"


class StaleConversation(models.Model):
    """A mark that something of a conversation changed: its sums are reckoned anew, and the mark goes.

    Triggers on the tables of the record write marks in the transaction that changes a row, so that none is missed,
    whoever writes and however late it is committed. There may be several for one conversation, which nobody waits for.
    """

    id = models.BigAutoField(primary_key=True, db_comment="Its number.")
    conversation_id = models.UUIDField(db_comment="Id of the conversation, which may be gone by now.")

    class Meta:
        db_table_comment = "Conversations whose sums have to be reckoned anew."
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.conversation_id} has changed"
