"""When a model's provider ends it, and what people should know of that."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from django.utils import timezone

from conversations.models import LanguageModel

NOTICE = datetime.timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Retirement:
    """The end of `model` on `day`. `replacement` takes its place from then on, where there is one."""

    model: LanguageModel
    day: datetime.date
    replacement: LanguageModel | None
    is_over: bool


def retirement_of(model: LanguageModel | None) -> Retirement | None:
    """Return what is to be said of a model that answers: that its end is near, or that it stands in for another.

    None where its end is further away than 60 days, or unknown.
    """
    if model is None:
        return None
    retired = model.in_place_of or model
    day = retired.shutdown_date
    if day is None or day > timezone.localdate() + NOTICE:
        return None
    if retired is not model:
        return Retirement(retired, day, model, is_over=True)
    heir = model.replacement
    usable = heir if heir is not None and heir.is_enabled and not retired.is_shut_down else None
    return Retirement(retired, day, usable, retired.is_shut_down)
