"""What somebody used, as the API shows it."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from rest_framework import serializers

from conversations.api.serializers.fields import Answer, MoneyField


class SumSerializer(Answer):
    """Sums over model calls."""

    calls = serializers.IntegerField()
    estimated_calls = serializers.IntegerField(help_text="Those whose tokens are an estimate.")
    unpriced_calls = serializers.IntegerField(help_text="Those whose cost is unknown; `cost` is that of the others.")
    input_tokens = serializers.IntegerField(help_text="Cached ones included.")
    cached_tokens = serializers.IntegerField()
    output_tokens = serializers.IntegerField(help_text="Reasoning included.")
    reasoning_tokens = serializers.IntegerField()
    total_tokens = serializers.IntegerField()
    cost = MoneyField(allow_null=True, help_text="US dollars; null where no cost is known.")


class UsageRowSerializer(SumSerializer):
    """The sums of a day, a month or a model, as `by` says; the others are null."""

    day = serializers.DateField(allow_null=True)
    month = serializers.DateField(allow_null=True, help_text="Its first day.")
    model = serializers.CharField(allow_null=True, help_text="By its name.")


class UsageReportSerializer(Answer):
    """What was used from a day to another, both included."""

    from_day = serializers.DateField(source="since")
    to_day = serializers.DateField(source="until")
    time_zone = serializers.CharField(help_text="The zone whose days these are.")
    by = serializers.ListField(child=serializers.CharField())
    total = SumSerializer()
    results = UsageRowSerializer(many=True)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Return the fields; two of them are named by words that Python keeps for itself."""
        names = {"from_day": "from", "to_day": "to"}
        return {names.get(name, name): field for name, field in super().get_fields().items()}


SUMMED = (
    "calls",
    "estimated_calls",
    "unpriced_calls",
    "input_tokens",
    "cached_tokens",
    "output_tokens",
    "reasoning_tokens",
)


def finished(sums: Mapping[str, Any]) -> dict[str, Any]:
    """Return sums of the columns of SUMMED and of cost with what follows from them."""
    whole = {name: sums.get(name) or 0 for name in SUMMED}
    is_unknown = whole["calls"] and whole["unpriced_calls"] >= whole["calls"]
    return whole | {
        "total_tokens": whole["input_tokens"] + whole["output_tokens"],
        "cost": None if is_unknown else sums.get("cost") or Decimal(0),
    }
