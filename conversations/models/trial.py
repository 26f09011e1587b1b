"""What administrators try out: a test call of a model, a preview of an assistant. No conversation comes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models

from conversations.models.catalogue import Assistant
from conversations.models.generation import Generation

if TYPE_CHECKING:
    from accounts.models import User


class TrialQuerySet(models.QuerySet["Trial"]):
    def visible_to(self, user: User) -> Self:
        """Return what `user` tried themselves."""
        return self.filter(asked_by=user)


class Trial(models.Model):
    """What a call without a conversation was asked and answered. What it used is booked to who asked for it."""

    generation = models.OneToOneField(
        Generation,
        on_delete=models.PROTECT,
        primary_key=True,
        related_name="trial",
        db_comment="The call, with its instructions, tokens and cost.",
    )
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_comment="Who asked for it."
    )
    assistant = models.ForeignKey(
        Assistant,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_comment="Of a preview: the assistant that was tried.",
    )
    follows = models.ForeignKey(
        "self", null=True, on_delete=models.PROTECT, related_name="+", db_comment="The one that it goes on from."
    )
    prompt = models.TextField(db_comment="What was asked.")
    text = models.TextField(blank=True, db_comment="What was answered, as far as it came.")

    objects = TrialQuerySet.as_manager()

    class Meta:
        db_table_comment = "Test calls of models and previews of assistants."
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.generation}"
