"""What can be talked to: language models with their dated prices, and assistants."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

if TYPE_CHECKING:
    from accounts.models import User


class LanguageModelQuerySet(models.QuerySet["LanguageModel"]):
    def offered(self) -> Self:
        """Return those that people may choose: in service, and as local, or not, as the one that answers otherwise."""
        default = LanguageModel.default()
        offered = self.filter(is_enabled=True, is_offered=True, is_local=bool(default and default.is_local))
        return offered.exclude(shutdown_date__lte=timezone.localdate())


class LanguageModel(models.Model):
    """A model that the provider serves. New models are rows, not code."""

    name = models.CharField(max_length=100, unique=True, db_comment="The provider's name of it, such as gpt-4o.")
    label = models.CharField(max_length=100, db_comment="What people see.")
    context_window = models.PositiveIntegerField(db_comment="Tokens that input and output share.")
    max_output_tokens = models.PositiveIntegerField(db_comment="The most tokens that one answer may have.")
    accepts_images = models.BooleanField(default=False, db_comment="Can be shown images.")
    accepts_files = models.BooleanField(default=False, db_comment="Can be given PDFs, Office files and text files.")
    tools = models.JSONField(
        default=list,
        blank=True,
        db_comment="Tools that it can use, as a list: code_interpreter, image_generation, create_file.",
    )
    is_local = models.BooleanField(default=False, db_comment="Runs on this machine; people are told that it is small.")
    is_enabled = models.BooleanField(default=True, db_comment="May be used for new answers.")
    is_offered = models.BooleanField(
        default=True, db_comment="People may choose it themselves when they retry or edit."
    )
    shutdown_date = models.DateField(null=True, blank=True, db_comment="The day on which the provider ends it.")
    replacement = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, db_comment="What to use instead after that day."
    )
    is_listed = models.BooleanField(
        null=True,
        editable=False,
        db_comment="Whether the provider listed it when it was last asked; empty: not asked yet.",
    )
    listed_at = models.DateTimeField(null=True, editable=False, db_comment="When the provider last listed it.")
    checked_at = models.DateTimeField(null=True, editable=False, db_comment="When the provider was last asked.")
    announced_shutdown_date = models.DateField(
        null=True, editable=False, db_comment="The day of its end as the provider's list tells it."
    )
    in_place_of: LanguageModel | None = None
    """The model that was asked for, where this one answers because that one is shut down."""

    objects = LanguageModelQuerySet.as_manager()

    class Meta:
        ordering = ["label"]
        db_table_comment = "Models that the provider serves."

    def __str__(self) -> str:
        return self.label

    def price_on(self, day: datetime.date) -> ModelPrice | None:
        """Return the price in force on `day`, or None where none is known."""
        return self.prices.filter(valid_from__lte=day).order_by("-valid_from").first()

    @property
    def is_shut_down(self) -> bool:
        """Whether its provider has ended it: from the day of its shutdown on."""
        return self.shutdown_date is not None and self.shutdown_date <= timezone.localdate()

    def in_service(self) -> LanguageModel | None:
        """Return the model to call: itself, or what takes its place once it is shut down; None where that is disabled.

        One that nothing replaces goes on being called: whether it still answers is for the provider to say.
        """
        model, met = self, {self.pk}
        while model.is_shut_down and model.replacement is not None and model.replacement_id not in met:
            model.replacement.in_place_of = self
            model = model.replacement
            met.add(model.pk)
        return model if model.is_enabled else None

    @classmethod
    def default(cls) -> LanguageModel | None:
        """Return the model of the setting DEFAULT_MODEL, as it is in service; None where it is missing or disabled."""
        named = cls.objects.filter(name=settings.DEFAULT_MODEL).select_related("replacement").first()
        return named and named.in_service()


class ModelPrice(models.Model):
    """What a model costs from a day on, in US dollars per million tokens."""

    model = models.ForeignKey(LanguageModel, on_delete=models.PROTECT, related_name="prices", db_comment="The model.")
    valid_from = models.DateField(default=timezone.localdate, db_comment="The first day of this price.")
    input_price = models.DecimalField(max_digits=12, decimal_places=6, db_comment="USD per million input tokens.")
    cached_input_price = models.DecimalField(
        max_digits=12, decimal_places=6, db_comment="USD per million input tokens that the provider had cached."
    )
    output_price = models.DecimalField(max_digits=12, decimal_places=6, db_comment="USD per million output tokens.")

    class Meta:
        ordering = ["model", "-valid_from"]
        db_table_comment = "Prices of models, each from a day on."
        constraints = [
            models.UniqueConstraint(fields=["model", "valid_from"], name="one_price_a_day"),
            models.CheckConstraint(
                condition=Q(input_price__gte=0, cached_input_price__gte=0, output_price__gte=0),
                name="prices_are_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.model} from {self.valid_from}"

    def cost(self, *, input_tokens: int, cached_tokens: int, output_tokens: int) -> Decimal:
        """Return what these tokens cost in US dollars; cached tokens are part of the input tokens."""
        total = (
            (input_tokens - cached_tokens) * self.input_price
            + cached_tokens * self.cached_input_price
            + output_tokens * self.output_price
        )
        return total / 1_000_000


class AssistantQuerySet(models.QuerySet["Assistant"]):
    def visible_to(self, user: User) -> Self:
        """Return the assistants that `user` may start a conversation with."""
        groups = self.model.groups.through.objects
        is_for_some = Exists(groups.filter(assistant_id=OuterRef("pk")))  # without a join, which would repeat rows
        return self.filter(
            Q(pk__in=groups.filter(group__user=user).values("assistant_id")) | ~Q(is_for_some), is_enabled=True
        )


class Assistant(models.Model):
    """A persona: instructions for a model, and who may use it."""

    slug = models.SlugField(unique=True, db_comment="Its stable name in addresses and the API.")
    name = models.CharField(max_length=100, db_comment="What people see.")
    description = models.CharField(max_length=300, blank=True, db_comment="One sentence: what it is good for.")
    instructions = models.TextField(blank=True, db_comment="What the model is told before the conversation.")
    model = models.ForeignKey(
        LanguageModel,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        db_comment="The model that answers; empty: the one of the setting DEFAULT_MODEL.",
    )
    parameters = models.JSONField(default=dict, blank=True, db_comment="Parameters such as temperature, sent as given.")
    tools = models.JSONField(
        default=list,
        blank=True,
        db_comment="Tools that it may use where its model can, as a list like the model's.",
    )
    suggested_prompts = models.JSONField(default=list, blank=True, db_comment="A list of prompts to begin with.")
    groups = models.ManyToManyField("auth.Group", blank=True, help_text="Who may use it. Empty: everybody.")
    is_enabled = models.BooleanField(default=True, db_comment="May be used for new messages.")
    position = models.PositiveSmallIntegerField(default=0, db_comment="Its place among the assistants.")

    default_model: LanguageModel | None = None
    """The model of the setting DEFAULT_MODEL, where it was read along."""

    objects = AssistantQuerySet.as_manager()

    class Meta:
        ordering = ["position", "name"]
        db_table_comment = "Personas that people talk to."

    def __str__(self) -> str:
        return self.name

    def language_model(self) -> LanguageModel | None:
        """Return the model that answers, or None where it is missing or disabled."""
        known = self.model or self.default_model
        return known.in_service() if known is not None else LanguageModel.default()
