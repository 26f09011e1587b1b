"""Review as work: what is to be looked at and why, and what was found."""

from __future__ import annotations

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from conversations.ids import uuid7


class ReviewPolicy(models.Model):
    """Which conversations come into the queue."""

    class Kind(models.TextChoices):
        SAMPLE = "sample", "A sample of all"
        FEEDBACK = "feedback", "Answers that were rated bad"
        REFUSED = "refused", "Answers that the model refused"
        KEYWORDS = "keywords", "Words that were used"
        COST = "cost", "High cost"

    name = models.CharField(max_length=100, unique=True, db_comment="What reviewers see as the reason.")
    kind = models.CharField(max_length=8, choices=Kind, db_comment="What it looks at.")
    percent = models.DecimalField(
        max_digits=5, decimal_places=2, null=True, blank=True, db_comment="Of a sample: how many in a hundred."
    )
    keywords = models.TextField(
        blank=True, db_comment="Of keywords: a search query on each line, any of which is enough."
    )
    cost = models.DecimalField(
        max_digits=12, decimal_places=4, null=True, blank=True, db_comment="Of high cost: US dollars, from which on."
    )
    assistant = models.ForeignKey(
        "conversations.Assistant",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_comment="Holds for conversations with this assistant alone; empty: for all.",
    )
    is_enabled = models.BooleanField(default=True, db_comment="Brings conversations into the queue.")
    created_at = models.DateTimeField(
        default=timezone.now, editable=False, db_comment="When it was made; it looks at what was said since."
    )

    class Meta:
        verbose_name_plural = "review policies"
        db_table_comment = "Which conversations are to be reviewed."
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="sample", percent__gt=0, percent__lte=100)
                | Q(kind__in=["feedback", "refused"])
                | Q(kind="keywords") & ~Q(keywords="")
                | Q(kind="cost", cost__gt=0),
                name="review_policy_is_whole",
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def keyword_lines(self) -> list[str]:
        """The queries, without empty lines."""
        return [line for text in self.keywords.splitlines() if (line := text.strip())]


class ReviewLabel(models.Model):
    """A word that reviewers put on what they find."""

    name = models.CharField(max_length=60, unique=True, db_comment="The label.")
    is_enabled = models.BooleanField(default=True, db_comment="May be chosen.")

    class Meta:
        db_table_comment = "Labels of reviews."
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class ReviewQuerySet(models.QuerySet["Review"]):
    def present(self) -> Self:
        """Leave out the reviews of conversations whose removal has begun."""
        return self.filter(conversation__removal_begun_at__isnull=True)


class Review(models.Model):
    """One look at a conversation: from its coming into the queue to a verdict."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        CLAIMED = "claimed", "Claimed"
        DONE = "done", "Done"

    class Verdict(models.TextChoices):
        FINE = "fine", "Nothing to object to"
        CONCERN = "concern", "A concern"
        VIOLATION = "violation", "A violation"

    OPEN = (State.WAITING, State.CLAIMED)

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False, db_comment="UUID version 7.")
    conversation = models.ForeignKey(
        "conversations.Conversation", on_delete=models.PROTECT, related_name="reviews", db_comment="What is reviewed."
    )
    state = models.CharField(max_length=7, choices=State, default=State.WAITING, db_comment="Where it stands.")
    claimed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_comment="The reviewer whose it is, or whose verdict it bears.",
    )
    claimed_at = models.DateTimeField(null=True, blank=True, db_comment="When it was claimed.")
    verdict = models.CharField(max_length=9, choices=Verdict, blank=True, db_comment="What was found.")
    labels = models.ManyToManyField(ReviewLabel, blank=True, related_name="reviews")
    note = models.TextField(blank=True, db_comment="What the reviewer wrote about it.")
    created_at = models.DateTimeField(default=timezone.now, editable=False, db_comment="When it came into the queue.")
    decided_at = models.DateTimeField(null=True, blank=True, db_comment="When the verdict was given.")

    objects = ReviewQuerySet.as_manager()

    class Meta:
        db_table_comment = "Reviews of conversations."
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=Q(state="waiting", claimed_by__isnull=True, claimed_at__isnull=True)
                | Q(state__in=["claimed", "done"], claimed_by__isnull=False, claimed_at__isnull=False),
                name="claimed_review_has_its_reviewer",
            ),
            models.CheckConstraint(
                condition=Q(state="done", decided_at__isnull=False) & ~Q(verdict="")
                | Q(state__in=["waiting", "claimed"], decided_at__isnull=True, verdict=""),
                name="review_is_done_with_its_verdict",
            ),
            models.UniqueConstraint(
                fields=["conversation"], condition=~Q(state="done"), name="one_open_review_per_conversation"
            ),
        ]
        indexes = [
            models.Index(fields=["id"], condition=Q(state="waiting"), name="review_waiting"),
            models.Index(fields=["claimed_by", "state", "-decided_at"], name="review_by_reviewer"),
            models.Index(fields=["-decided_at"], condition=Q(state="done"), name="review_by_time"),
        ]

    def __str__(self) -> str:
        return f"Review {self.pk}"


class ReviewReason(models.Model):
    """Why a conversation is in the queue: a policy, and what it found where. Each occasion counts once."""

    review = models.ForeignKey(
        Review, on_delete=models.CASCADE, related_name="reasons", db_comment="The review that it calls for."
    )
    policy = models.ForeignKey(
        ReviewPolicy, on_delete=models.PROTECT, related_name="reasons", db_comment="The policy that found it."
    )
    message_id = models.UUIDField(
        null=True, db_comment="Id of the message that it is about; empty: the whole conversation."
    )
    at = models.DateTimeField(db_comment="When it came about: when it was said, ended or rated.")
    words = models.CharField(
        max_length=300, blank=True, db_comment="Of keywords: the line of the policy that was found."
    )
    cost = models.DecimalField(
        max_digits=16, decimal_places=8, null=True, db_comment="Of high cost: US dollars, what it had cost by then."
    )

    class Meta:
        db_table_comment = "Why conversations came into the queue."
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["review", "policy", "message_id"], nulls_distinct=False, name="one_reason_per_occasion"
            )
        ]

    def __str__(self) -> str:
        return f"Reason of {self.review_id}"
