"""Assistants and models as the API shows them, and who asks."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from rest_framework import serializers

from accounts.access import Scope
from conversations.api.serializers.fields import Answer, MoneyField, TimeField, written
from conversations.models import Assistant, LanguageModel, ModelPrice, UsageLimit


class AssistantSerializer(Answer):
    """An assistant to talk to."""

    key = "slug"

    slug = serializers.CharField(help_text="Its stable name.")
    name = serializers.CharField()
    description = serializers.CharField()
    model = serializers.CharField(allow_null=True, help_text="The model that answers now; null: none is in service.")
    tools = serializers.ListField(child=serializers.CharField(), help_text="What it may use where its model can.")
    suggested_prompts = serializers.ListField(child=serializers.CharField())


class PriceSerializer(Answer):
    """US dollars per million tokens."""

    input = MoneyField()
    cached_input = MoneyField(help_text="Of input that the provider had cached.")
    output = MoneyField()
    valid_from = serializers.DateField()


class ModelSerializer(Answer):
    """A language model."""

    key = "name"

    name = serializers.CharField(help_text="The provider's name of it.")
    label = serializers.CharField(  # type: ignore[assignment]  # a field here, not the serializer's own label
        help_text="What people see."
    )
    is_default = serializers.BooleanField(help_text="It answers where an assistant names no model.")
    is_offered = serializers.BooleanField(help_text="It may be chosen for a conversation.")
    is_local = serializers.BooleanField()
    context_window = serializers.IntegerField(help_text="Tokens that input and output share.")
    max_output_tokens = serializers.IntegerField()
    accepts_images = serializers.BooleanField()
    accepts_files = serializers.BooleanField()
    tools = serializers.ListField(child=serializers.CharField())
    shutdown_date = serializers.DateField(allow_null=True, help_text="The day on which its provider ends it.")
    price = PriceSerializer(allow_null=True, help_text="Of today; null: unknown.")


class LimitSerializer(Answer):
    """A limit that holds for a person, and what is gone of it."""

    measure = serializers.ChoiceField(UsageLimit.Measure.choices)
    period = serializers.ChoiceField(UsageLimit.Period.choices)
    limit = MoneyField(help_text="Tokens or US dollars, as `measure` says.")
    used = MoneyField()
    held = MoneyField(help_text="Reserved for answers that are being written.")
    resets_at = TimeField()


class IndexSerializer(Answer):
    """Where everything is."""

    version = serializers.CharField()
    links = serializers.DictField(child=serializers.URLField())


class MeSerializer(Answer):
    """Who asks, and what they may do."""

    username = serializers.CharField()
    name = serializers.CharField()
    email = serializers.CharField()
    access = serializers.ChoiceField([("session", "Session"), ("token", "Token"), ("jwt", "JWT")])
    token = serializers.UUIDField(allow_null=True, help_text="The id of the token, where one was sent.")
    scopes = serializers.ListField(child=serializers.ChoiceField([(str(scope), scope.label) for scope in Scope]))
    may_read_all = serializers.BooleanField(help_text="`everyone=true` is open.")
    limits = LimitSerializer(many=True)


def show_assistants(
    assistants: Sequence[Assistant], default: LanguageModel | None, only: Collection[str] | None = None
) -> list[dict[str, Any]]:
    """Return assistants as JSON without a query; the rows have `model__replacement` joined."""
    rows = [
        {
            "slug": assistant.slug,
            "name": assistant.name,
            "description": assistant.description,
            "model": model.name if (model := answering(assistant, default)) else None,
            "tools": list(map(str, assistant.tools)),
            "suggested_prompts": list(map(str, assistant.suggested_prompts)),
        }
        for assistant in assistants
    ]
    return written(AssistantSerializer, rows, only)


def show_models(
    models: Sequence[LanguageModel],
    *,
    prices: Mapping[int, ModelPrice],
    offered: Collection[int],
    default: LanguageModel | None,
    only: Collection[str] | None = None,
) -> list[dict[str, Any]]:
    """Return models as JSON without a query; `prices` has those of today by the model's id."""
    rows = [
        {
            "name": model.name,
            "label": model.label,
            "is_default": default is not None and model.pk == default.pk,
            "is_offered": model.pk in offered,
            "is_local": model.is_local,
            "context_window": model.context_window,
            "max_output_tokens": model.max_output_tokens,
            "accepts_images": model.accepts_images,
            "accepts_files": model.accepts_files,
            "tools": list(map(str, model.tools)),
            "shutdown_date": model.shutdown_date,
            "price": _price(prices.get(model.pk)),
        }
        for model in models
    ]
    return written(ModelSerializer, rows, only)


def answering(assistant: Assistant, default: LanguageModel | None) -> LanguageModel | None:
    """Return the model that answers for an assistant, as `Assistant.language_model` with the default looked up once."""
    return assistant.model.in_service() if assistant.model is not None else default


def _price(price: ModelPrice | None) -> dict[str, Any] | None:
    if price is None:
        return None
    return {
        "input": price.input_price,
        "cached_input": price.cached_input_price,
        "output": price.output_price,
        "valid_from": price.valid_from,
    }
