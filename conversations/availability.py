"""What administrators should know of the models: which the provider does not list, and which will end."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils import timezone

from conversations.models import Assistant, LanguageModel
from conversations.retirement import NOTICE

# What administrators can do about a call that failed, by the code of the failure.
HINTS = {
    "no_key": "No key is set. Set OPENAI_API_KEY for the worker and start it anew.",
    "wrong_key": "The provider did not accept the key. Check OPENAI_API_KEY of the worker.",
    "forbidden": "The provider does not allow the key this request. Check the rights of the key's project.",
    "model_gone": "The provider serves no model of this name to the key. Check the name, or choose another model.",
    "quota": "The budget at the provider is used up. Check the billing there.",
    "rate_limited": "The provider gets too many requests from us. Try again in a minute, or ask it for a higher limit.",
    "invalid_request": "The provider could not work with the request. A parameter may not suit the model.",
    "too_long": "This is longer than the model can read. Shorten it, or enter the context window that the model has.",
    "content_policy": "The provider declined the request under its usage rules. Change the wording.",
    "overloaded": "The provider is overloaded. Try again in a minute.",
    "provider_down": "The provider has a fault. Look at its status page, and try again later.",
    "connection": "The connection to the provider broke off. Check OPENAI_BASE_URL and the way out of the worker.",
    "timeout": "The provider did not answer in time. Try again, and look at its status page.",
    "protocol": "The answer could not be read. Check that OPENAI_BASE_URL leads to a server of the Responses API.",
    "provider_error": "The provider ended the answer with an error. Try again.",
    "worker_lost": "The worker that made the call stopped. Try again.",
}


@dataclass(frozen=True, slots=True)
class Concern:
    """Something about a model that somebody should see to."""

    model: LanguageModel | None
    rest: str
    """What is said of it, after its name."""
    is_urgent: bool

    @property
    def text(self) -> str:
        return f"{self.model or ''}{self.rest}"


def find_concerns() -> list[Concern]:
    """Return what is to be told, the urgent first. Reads models and assistants alone, in three queries."""
    default = LanguageModel.default()
    users = _users()
    found = [] if default is not None else [_missing()]
    for model in LanguageModel.objects.filter(is_enabled=True).select_related("replacement").order_by("label"):
        is_default = default is not None and model.pk in (default.pk, default.in_place_of and default.in_place_of.pk)
        answers = ["the default model"] if is_default else []
        answers += [f"the model of {name}" for name in users.get(model.pk, [])]
        found += _about(model, answers)
    return sorted(found, key=lambda concern: not concern.is_urgent)


def _missing() -> Concern:
    return Concern(None, "The default model is missing or disabled: enter or enable the model of DEFAULT_MODEL.", True)


def _users() -> dict[int | None, list[str]]:
    """Return the names of the assistants in service with the ids of the models that are entered for them."""
    found: dict[int | None, list[str]] = {}
    for model_id, name in Assistant.objects.filter(is_enabled=True, model__isnull=False).values_list(
        "model_id", "name"
    ):
        found.setdefault(model_id, []).append(f"“{name}”")
    return found


def _about(model: LanguageModel, answers: list[str]) -> list[Concern]:
    found = []
    role = f", {_joined(answers)}," if answers else ""
    if answers and model.is_listed is False and not _is_replaced(model):
        found.append(
            Concern(
                model,
                f"{role} is not in the provider's list, so it may not answer. "
                "Make a test call, and choose another model where it fails.",
                is_urgent=True,
            )
        )
    day = model.shutdown_date
    if day is not None and day <= timezone.localdate() + NOTICE and (answers or model.is_offered):
        when = f"{day:%-d %B %Y}"
        what = f"was ended by its provider on {when}" if model.is_shut_down else f"is ended by its provider on {when}"
        is_urgent = bool(answers) and not _is_replaced(model)
        found.append(Concern(model, f"{role} {what}. {_next(model)}", is_urgent))
    announced = model.announced_shutdown_date
    if announced is not None and day is not None and announced != day:
        found.append(
            Concern(
                model,
                f": the provider announces its end for {announced:%-d %B %Y}; {day:%-d %B %Y} is entered.",
                is_urgent=announced < day,
            )
        )
    return found


def _is_replaced(model: LanguageModel) -> bool:
    """Whether another one answers in its place already."""
    return model.is_shut_down and model.in_service() not in (None, model)


def _next(model: LanguageModel) -> str:
    heir = model.replacement
    if heir is None:
        return "Choose what takes its place."
    if not heir.is_enabled:
        return f"{heir.label} is to take its place and is disabled: enable it."
    if heir.is_listed is False:
        return f"{heir.label} is to take its place and is not in the provider's list: choose another one."
    return f"{heir.label} takes its place; make a test call of it."


def _joined(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
