"""What the provider's list of models says about ours."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction
from django.utils import timezone

from audit import services as audit
from conversations.llm import ListedModel
from conversations.models import LanguageModel


def note_listing(*, listed: Iterable[ListedModel]) -> list[LanguageModel]:
    """Note for each model whether the provider lists it, when it last did, and until when; return all models.

    The day of a model's end is entered where none is: people are then told in time. One that an administrator has
    entered stays, and `conversations.availability` tells where the provider says another.
    """
    announced = {model.name: model for model in listed}
    now = timezone.now()
    with transaction.atomic():
        models = list(LanguageModel.objects.select_for_update(no_key=True).order_by("pk"))
        entered = []
        for model in models:
            told = announced.get(model.name)
            model.is_listed, model.checked_at = told is not None, now
            if told is not None:
                model.listed_at, model.announced_shutdown_date = now, told.shutdown_date
                if model.shutdown_date is None and told.shutdown_date is not None:
                    model.shutdown_date = told.shutdown_date
                    entered.append(model)
            model.save(
                update_fields=["is_listed", "checked_at", "listed_at", "announced_shutdown_date", "shutdown_date"]
            )
        for model in entered:
            audit.record(
                kind="setting.changed",
                actor=None,
                object_type="languagemodel",
                object_id=model.pk,
                details={"fields": ["shutdown_date"]},
            )
    return models
