"""How long conversations are kept, what must stay, and what is left of what was removed."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.models import Group
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone

from conversations.ids import uuid7

MOST_DAYS = 36_500


class RetentionPolicy(models.Model):
    """After how many days conversations are removed. Where several hold for one, it stays for the longest time."""

    class Basis(models.TextChoices):
        ACTIVITY = "activity", "Since something was last said"
        CONCLUDED = "concluded", "Since it was concluded"

    name = models.CharField(max_length=100, unique=True, db_comment="What it is called.")
    group = models.ForeignKey(
        Group,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_comment="Holds for conversations of this group's members; empty: for everybody's.",
    )
    assistant = models.ForeignKey(
        "conversations.Assistant",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_comment="Holds for conversations with this assistant; empty: with all.",
    )
    basis = models.CharField(max_length=9, choices=Basis, default=Basis.ACTIVITY, db_comment="From when days count.")
    days = models.PositiveIntegerField(
        validators=[MinValueValidator(1), MaxValueValidator(MOST_DAYS)],
        db_comment="How many days a conversation is kept.",
    )
    is_enabled = models.BooleanField(default=False, db_comment="Removes conversations.")

    class Meta:
        verbose_name_plural = "retention policies"
        db_table_comment = "How long conversations are kept."
        constraints = [
            models.CheckConstraint(condition=Q(days__gte=1), name="retention_is_a_day_at_least"),
            models.CheckConstraint(condition=Q(days__lte=MOST_DAYS), name="retention_is_a_century_at_most"),
        ]

    def __str__(self) -> str:
        return self.name


class LegalHold(models.Model):
    """What must stay whatever a policy or a request for erasure says: all of a person's conversations, or one."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False, db_comment="UUID version 7.")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_comment="Whose conversations stay.",
    )
    conversation = models.ForeignKey(
        "conversations.Conversation",
        null=True,
        blank=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="holds",
        db_comment="The conversation that stays; it may be removed once the hold is lifted.",
    )
    reason = models.CharField(max_length=500, db_comment="Why it must stay.")
    placed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_comment="Who placed it."
    )
    placed_at = models.DateTimeField(default=timezone.now, editable=False, db_comment="When it was placed.")
    lifted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_comment="Who lifted it.",
    )
    lifted_at = models.DateTimeField(null=True, blank=True, db_comment="When it was lifted; empty: it holds.")
    lift_reason = models.CharField(max_length=500, blank=True, db_comment="Why it was lifted.")

    class Meta:
        db_table_comment = "What must not be removed."
        default_permissions = ("add", "change", "view")
        constraints = [
            models.CheckConstraint(
                condition=Q(user__isnull=False, conversation__isnull=True)
                | Q(user__isnull=True, conversation__isnull=False),
                name="hold_is_on_a_person_or_a_conversation",
            ),
            models.CheckConstraint(
                condition=Q(lifted_by__isnull=True, lifted_at__isnull=True)
                | Q(lifted_by__isnull=False, lifted_at__isnull=False),
                name="lifted_hold_tells_by_whom",
            ),
        ]
        indexes = [models.Index(fields=["user"], condition=Q(lifted_at__isnull=True), name="hold_in_force")]

    def __str__(self) -> str:
        return f"Hold {self.pk}"


class RetentionRun(models.Model):
    """One run of the policies, or the erasure of a person. A run that was cut off is gone on with."""

    class Kind(models.TextChoices):
        POLICIES = "policies", "Policies"
        ERASURE = "erasure", "Erasure of a person"

    class State(models.TextChoices):
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False, db_comment="UUID version 7.")
    kind = models.CharField(max_length=8, choices=Kind, db_comment="What it carries out.")
    state = models.CharField(max_length=7, choices=State, default=State.RUNNING, db_comment="Where it stands.")
    is_dry = models.BooleanField(default=False, db_comment="Counts what would go and removes nothing.")
    person_id = models.BigIntegerField(null=True, db_comment="Of an erasure: the id of the person.")
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_comment="Who asked for it; empty: the nightly job.",
    )
    reason = models.CharField(max_length=500, blank=True, db_comment="Why, of what a person asked for.")
    counts = models.JSONField(default=dict, db_comment="What was removed, kept by a hold, and failed, as counts.")
    problem = models.CharField(
        max_length=500, blank=True, db_comment="What keeps it from going on, as people are told."
    )
    started_at = models.DateTimeField(default=timezone.now, editable=False, db_comment="When it began.")
    finished_at = models.DateTimeField(null=True, db_comment="When it ended.")

    class Meta:
        db_table_comment = "Runs that remove conversations."
        default_permissions = ("view",)
        permissions = [("erase_person", "Can erase a person")]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "person_id"],
                condition=Q(state="running", is_dry=False),
                nulls_distinct=False,
                name="one_retention_run_at_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}, {self.started_at:%Y-%m-%d %H:%M}"

    @property
    def is_under_way(self) -> bool:
        return self.state == self.State.RUNNING

    @property
    def is_waiting(self) -> bool:
        """Whether something keeps it from going on just now."""
        return self.is_under_way and bool(self.problem)


class Tombstone(models.Model):
    """What is left of a removed conversation: ids, dates, counts and hashes. No text, no names."""

    conversation_id = models.UUIDField(primary_key=True, db_comment="The id that the conversation had.")
    run = models.ForeignKey(
        RetentionRun, on_delete=models.PROTECT, related_name="tombstones", db_comment="The run that removed it."
    )
    policy_id = models.BigIntegerField(null=True, db_comment="Id of the policy that let it go; empty: an erasure.")
    owner_id = models.BigIntegerField(db_comment="Id of the person whose it was.")
    assistant_id = models.BigIntegerField(db_comment="Id of the assistant.")
    created_at = models.DateTimeField(db_comment="When the conversation began.")
    last_activity_at = models.DateTimeField(db_comment="When something was last said in it.")
    concluded_at = models.DateTimeField(null=True, db_comment="When it was concluded.")
    messages = models.PositiveIntegerField(db_comment="How many prompts and answers it had.")
    generations = models.PositiveIntegerField(db_comment="How many model calls.")
    attachments = models.PositiveIntegerField(db_comment="How many files.")
    attachment_bytes = models.PositiveBigIntegerField(db_comment="How large they were together.")
    input_tokens = models.PositiveBigIntegerField(db_comment="Tokens of input of its calls, as far as known.")
    output_tokens = models.PositiveBigIntegerField(db_comment="Tokens of output.")
    cost = models.DecimalField(max_digits=16, decimal_places=8, db_comment="US dollars, of the calls of known cost.")
    unpriced_calls = models.PositiveIntegerField(db_comment="How many calls had an unknown cost.")
    sealed_sha256 = models.CharField(max_length=64, blank=True, db_comment="The hash of its sealed document, in hex.")
    file_hashes = models.JSONField(default=list, db_comment="SHA-256 of its files, in hex.")
    begun_at = models.DateTimeField(
        default=timezone.now, db_comment="When its removal began: from here on nobody sees it, and no hold can save it."
    )
    removed_at = models.DateTimeField(null=True, db_comment="When its last row was gone.")

    class Meta:
        db_table_comment = "What is left of removed conversations."
        default_permissions = ("view",)
        indexes = [
            models.Index(fields=["begun_at"], condition=Q(removed_at__isnull=True), name="tombstone_unfinished"),
            models.Index(fields=["owner_id"], name="tombstone_by_owner"),
        ]

    def __str__(self) -> str:
        return f"Removed conversation {self.conversation_id}"
