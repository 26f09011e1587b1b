"""Values as the API writes them: times in UTC, money as text, and of an answer what was asked for."""

from __future__ import annotations

import datetime
from collections.abc import Collection
from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers


class TimeField(serializers.DateTimeField):
    """A moment in ISO 8601, in UTC with a Z, whatever the zone of the site is."""

    def __init__(self, **options: Any) -> None:
        super().__init__(default_timezone=datetime.UTC, **options)


@extend_schema_field({"type": "string", "pattern": r"^\d+(\.\d+)?$", "description": "US dollars, such as 0.00042500."})
class MoneyField(serializers.Field):  # type: ignore[type-arg]
    """US dollars as text, so that no program rounds them; null where the price is unknown, which is not 0."""

    def to_representation(self, value: Decimal) -> str:
        return f"{value:f}"


class Answer(serializers.Serializer):  # type: ignore[type-arg]
    """What an answer holds. Where it has a `key`, `?fields=` may leave out any field but that."""

    key = ""

    def __init__(self, *args: Any, only: Collection[str] | None = None, **options: Any) -> None:
        super().__init__(*args, **options)
        self._only = only

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Return the fields that are wanted; in the schema none but the key is certain to be there."""
        fields: dict[str, serializers.Field[Any, Any, Any, Any]] = super().get_fields()
        only = getattr(self, "_only", None)
        if self.key:
            for name, field in fields.items():
                field.required = name == self.key
        if only is None:
            return fields
        return {name: field for name, field in fields.items() if name in only or name == self.key}

    @classmethod
    def names(cls) -> list[str]:
        """Return the names that `?fields=` may list."""
        return list(cls().get_fields())


def written(serializer: type[Answer], rows: Any, only: Collection[str] | None = None) -> list[dict[str, Any]]:
    """Return rows as a serializer writes them, of each only the fields that are wanted."""
    shown: list[dict[str, Any]] = list(serializer(rows, many=True, only=only).data)
    return shown


def is_wanted(only: Collection[str] | None, *names: str) -> bool:
    """Tell whether one of these fields is to be shown, so that what is not is not looked up either."""
    return only is None or any(name in only for name in names)
