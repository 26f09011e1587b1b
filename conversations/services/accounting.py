"""What a model call used and what that cost: on its own row, and in its owner's sum of that day."""

from __future__ import annotations

from django.db import connection
from django.utils import timezone

from conversations.llm import Usage
from conversations.models import Generation

# One statement for both, by hand, as each answer ends with it. Only a call that is open is ended, and only what this
# statement ends is added, so nothing is counted twice. It locks one row of sums, and no others after it, so that the
# calls of one person that end together take turns and never wait for each other in a circle.
_END = """
WITH ended AS (
    UPDATE conversations_generation SET
        status = %(status)s, finished_at = %(finished_at)s, first_text_at = %(first_text_at)s,
        model_answered = %(model_answered)s, response_id = %(response_id)s, request_id = %(request_id)s,
        finish_reason = %(finish_reason)s, error_code = %(error_code)s, error_detail = %(error_detail)s,
        input_tokens = %(input_tokens)s, cached_tokens = %(cached_tokens)s,
        output_tokens = %(output_tokens)s, reasoning_tokens = %(reasoning_tokens)s,
        usage_source = %(usage_source)s, price_id = %(price_id)s, cost = %(cost)s
    WHERE id = %(id)s AND status IN ('pending', 'running')
    RETURNING id, conversation_id, model_id, input_tokens, cached_tokens, output_tokens, reasoning_tokens, cost
), booked AS (
    INSERT INTO conversations_usageday AS kept (
        owner_id, day, model_id, calls, estimated_calls, unpriced_calls,
        input_tokens, cached_tokens, output_tokens, reasoning_tokens, cost
    )
    SELECT coalesce(conversation.owner_id, trial.asked_by_id), %(day)s, ended.model_id,
        1, %(estimated_calls)s, %(unpriced_calls)s,
        coalesce(ended.input_tokens, 0), coalesce(ended.cached_tokens, 0),
        coalesce(ended.output_tokens, 0), coalesce(ended.reasoning_tokens, 0), coalesce(ended.cost, 0)
    FROM ended
    LEFT JOIN conversations_conversation AS conversation ON conversation.id = ended.conversation_id
    LEFT JOIN conversations_trial AS trial ON trial.generation_id = ended.id
    WHERE %(is_used)s AND coalesce(conversation.owner_id, trial.asked_by_id) IS NOT NULL
    ON CONFLICT (owner_id, day, model_id) DO UPDATE SET
        calls = kept.calls + excluded.calls,
        estimated_calls = kept.estimated_calls + excluded.estimated_calls,
        unpriced_calls = kept.unpriced_calls + excluded.unpriced_calls,
        input_tokens = kept.input_tokens + excluded.input_tokens,
        cached_tokens = kept.cached_tokens + excluded.cached_tokens,
        output_tokens = kept.output_tokens + excluded.output_tokens,
        reasoning_tokens = kept.reasoning_tokens + excluded.reasoning_tokens,
        cost = kept.cost + excluded.cost
)
SELECT FROM ended
"""
_SAVED = (
    "id",
    "status",
    "finished_at",
    "first_text_at",
    "model_answered",
    "response_id",
    "request_id",
    "finish_reason",
    "error_code",
    "error_detail",
    "input_tokens",
    "cached_tokens",
    "output_tokens",
    "reasoning_tokens",
    "usage_source",
    "price_id",
    "cost",
)


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


def save_ended(generation: Generation) -> bool:
    """Save how a call ended, and add what it used to its owner's sums of the day on which it was made.

    Return False where it had ended before; then nothing is changed. What somebody tried out is theirs; other
    calls without a conversation are nobody's.
    """
    is_used = Generation.has_used(generation.status, generation.started_at, generation.output_tokens)
    values = {name: getattr(generation, name) for name in _SAVED} | {
        "day": timezone.localdate(generation.started_at),
        "is_used": is_used,
        "estimated_calls": int(generation.usage_source != Generation.UsageSource.EXACT),
        "unpriced_calls": int(generation.cost is None and not generation.model.is_local),
    }
    with connection.cursor() as cursor:
        cursor.execute(_END, values)
        return bool(cursor.rowcount)
