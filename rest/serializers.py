"""Serializers that take what they know, in the type that they name, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

_TYPES: tuple[tuple[tuple[type[serializers.Field[Any, Any, Any, Any]], ...], tuple[type, ...], str], ...] = (
    ((serializers.BooleanField,), (bool,), "This must be true or false."),
    ((serializers.IntegerField,), (int,), "This must be a whole number."),
    ((serializers.FloatField,), (int, float), "This must be a number."),
    (
        (
            serializers.CharField,
            serializers.ChoiceField,
            serializers.UUIDField,
            serializers.DateTimeField,
            serializers.DateField,
            serializers.DecimalField,
        ),
        (str,),
        "This must be a text.",
    ),
    (
        (serializers.ListField, serializers.ListSerializer, serializers.MultipleChoiceField),
        (list,),
        "This must be a list.",
    ),
)


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses fields that it does not know, naming each, and values of another JSON type, which DRF would convert.

    With `context={"is_text": True}` all values are texts, as in addresses and forms, and are converted as usual.
    """

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """Return what the fields make of the data. Raises ValidationError with all that is wrong at once."""
        errors: dict[str, Any] = {}
        if isinstance(data, Mapping):
            errors = self._unknown(data)
            if not self.context.get("is_text"):
                errors |= self._of_wrong_type(data)
        if errors:
            raise serializers.ValidationError(errors)
        value: dict[str, Any] = super().to_internal_value(data)
        return value

    def _unknown(self, data: Mapping[str, Any]) -> dict[str, Any]:
        known = {name for name, field in self.fields.items() if not field.read_only}
        return {str(name): ["There is no such field here."] for name in data if name not in known}

    def _of_wrong_type(self, data: Mapping[str, Any]) -> dict[str, Any]:
        found = {name: _wrong(field, data[name]) for name, field in self.fields.items() if name in data}
        return {name: wrong for name, wrong in found.items() if wrong is not None}


class NothingSerializer(StrictSerializer):
    """The body of a request that needs none: empty, or `{}`."""


def _wrong(field: Any, value: Any) -> Any:
    """Return what is wrong with the JSON type of a value; None where nothing is, or the field itself can tell."""
    if value is None:
        return None
    for kinds, types, words in _TYPES:
        if isinstance(field, kinds):
            is_right = isinstance(value, types) and (isinstance(value, bool) == (bool in types))
            if not is_right:
                return [words]
            break
    if isinstance(field, serializers.ListField) and not isinstance(field, serializers.MultipleChoiceField):
        inner = {number: wrong for number, item in enumerate(value) if (wrong := _wrong(field.child, item)) is not None}
        return inner or None
    return None
