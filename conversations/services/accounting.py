"""What a model call used and what that cost."""

from __future__ import annotations

from django.utils import timezone

from conversations.llm import Usage
from conversations.models import Generation


def book_usage(generation: Generation, usage: Usage, *, source: Generation.UsageSource) -> None:
    """Set tokens, price and cost on `generation` (not saved). An unknown price leaves the cost unknown, not 0."""
    generation.input_tokens = usage.input_tokens
    generation.cached_tokens = usage.cached_tokens
    generation.output_tokens = usage.output_tokens
    generation.reasoning_tokens = usage.reasoning_tokens
    generation.usage_source = source
    price = generation.model.price_on(timezone.localdate(generation.started_at))
    generation.price = price
    generation.cost = (
        price.cost(
            input_tokens=usage.input_tokens, cached_tokens=usage.cached_tokens, output_tokens=usage.output_tokens
        )
        if price is not None
        else None
    )
