"""Rows for tests, with a default for everything."""

import itertools
import uuid
from typing import Any

from accounts.models import User
from conversations.models import Assistant, LanguageModel, ModelPrice

_count = itertools.count(1)


def make_user(**fields: Any) -> User:
    number = next(_count)
    fields = {"username": f"person{number}", "email": f"person{number}@example.org"} | fields
    return User.objects.create_user(**fields)


def make_model(name: str = "gpt-4o", *, priced: bool = True, **fields: Any) -> LanguageModel:
    fields = {"label": name, "context_window": 128_000, "max_output_tokens": 16_384} | fields
    model, created = LanguageModel.objects.get_or_create(name=name, defaults=fields)
    if created and priced:
        ModelPrice.objects.create(
            model=model,
            valid_from="2024-10-01",
            input_price="2.50",
            cached_input_price="1.25",
            output_price="10.00",
        )
    return model


def make_assistant(**fields: Any) -> Assistant:
    number = next(_count)
    fields = {"slug": f"assistant-{number}", "name": f"Assistant {number}", "instructions": "Answer briefly."} | fields
    return Assistant.objects.create(**fields)


def token() -> uuid.UUID:
    return uuid.uuid4()
