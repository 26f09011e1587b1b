"""What people used, summed by day, and how much they may use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.db.models import Q

if TYPE_CHECKING:
    from accounts.models import User


class UsageDayQuerySet(models.QuerySet["UsageDay"]):
    def visible_to(self, user: User) -> Self:
        """Return the sums that `user` may see: of what they used themselves."""
        return self.filter(owner=user)


class UsageDay(models.Model):
    """What one person used of one model on one day. Each call is added when it ends, in the same transaction."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="usage_days", db_comment="Who used it."
    )
    day = models.DateField(db_comment="The day on which the calls were made, in the zone of the server.")
    model = models.ForeignKey(
        "LanguageModel", on_delete=models.PROTECT, related_name="+", db_comment="The model asked."
    )
    calls = models.PositiveIntegerField(default=0, db_comment="Calls that used something.")
    estimated_calls = models.PositiveIntegerField(default=0, db_comment="Those whose tokens are an estimate.")
    unpriced_calls = models.PositiveIntegerField(default=0, db_comment="Those whose cost is unknown.")
    input_tokens = models.PositiveBigIntegerField(default=0, db_comment="Tokens of the input, cached ones included.")
    cached_tokens = models.PositiveBigIntegerField(default=0, db_comment="Input tokens that the provider had cached.")
    output_tokens = models.PositiveBigIntegerField(default=0, db_comment="Tokens of the output, reasoning included.")
    reasoning_tokens = models.PositiveBigIntegerField(default=0, db_comment="Output tokens spent on reasoning.")
    cost = models.DecimalField(
        max_digits=18, decimal_places=8, default=0, db_comment="US dollars, of the calls whose cost is known."
    )

    objects = UsageDayQuerySet.as_manager()

    class Meta:
        db_table_comment = "What each person used of each model, by day."
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["owner", "day", "model"], name="one_usage_day")]
        indexes = [models.Index(fields=["day"], name="usage_by_day")]

    def __str__(self) -> str:
        return f"{self.day}"


class UsageLimit(models.Model):
    """The most that a person may use in a day or month. A limit of a group holds for each of its members.

    A person's own limit takes the place of those of their groups, and these of the one for everybody; of several
    groups the most generous counts.
    """

    class Measure(models.TextChoices):
        TOKENS = "tokens", "Tokens"
        MONEY = "money", "US dollars"

    class Period(models.TextChoices):
        DAY = "day", "Day"
        MONTH = "month", "Month"

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="usage_limits",
        db_comment="The person it is for.",
    )
    group = models.ForeignKey(
        "auth.Group",
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="usage_limits",
        db_comment="The group whose members it is for; without person and group it is for everybody.",
    )
    measure = models.CharField(max_length=6, choices=Measure, db_comment="What is counted: tokens or money.")
    period = models.CharField(max_length=5, choices=Period, db_comment="Per day or month, in the zone of the server.")
    amount = models.DecimalField(max_digits=16, decimal_places=4, db_comment="The most; 0 allows nothing.")

    class Meta:
        db_table_comment = "How much people may use."
        ordering = ["user", "group", "measure", "period"]
        constraints = [
            models.CheckConstraint(
                condition=Q(user__isnull=True) | Q(group__isnull=True), name="limit_is_for_person_or_group"
            ),
            models.CheckConstraint(condition=Q(amount__gte=0), name="limit_is_not_negative"),
            models.UniqueConstraint(
                fields=["user", "group", "measure", "period"], nulls_distinct=False, name="one_limit_of_a_kind"
            ),
        ]

    def __str__(self) -> str:
        whom = self.user or self.group or "everybody"
        return f"{self.get_measure_display()} per {self.period} for {whom}"
