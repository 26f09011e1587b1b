"""What answers and conversations used: tokens and money, with how far both are known."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from conversations.amounts import money
from conversations.models import Conversation, Generation


class _Call(NamedTuple):
    """What is summed of a model call: columns, as a long conversation has thousands."""

    status: str
    started_at: datetime.datetime | None
    input_tokens: int | None
    cached_tokens: int | None
    output_tokens: int | None
    reasoning_tokens: int | None
    cost: Decimal | None
    usage_source: str
    model__is_local: bool


@dataclass(frozen=True, slots=True)
class Usage:
    """Sums over model calls. `cost` is the known part in US dollars."""

    input_tokens: int
    cached_tokens: int
    output_tokens: int
    reasoning_tokens: int
    cost: Decimal | None
    has_usage: bool  # that used anything, or may have
    is_free: bool
    is_estimated: bool
    is_uncounted: bool
    is_unpriced: bool

    @property
    def tokens(self) -> int:
        return self.input_tokens + self.output_tokens

    @property
    def source(self) -> str:
        """How far the numbers can be trusted, for people."""
        if self.is_uncounted:
            return "not reported by the provider" if not self.tokens else "reported for a part only"
        return "estimated" if self.is_estimated else "exact, as the provider counted"

    @property
    def cost_label(self) -> str:
        if self.is_free:
            return "no charge"
        if self.cost is None:
            return "cost unknown"
        about = "≈ " if self.is_estimated else ""
        return f"{about}{money(self.cost)}" + (" + unknown" if self.is_unpriced else "")

    @property
    def tokens_label(self) -> str:
        if self.is_uncounted and not self.tokens:
            return "tokens unknown"
        about = "≈ " if self.is_estimated or self.is_uncounted else ""
        return f"{about}{self.tokens:,} token{'' if self.tokens == 1 else 's'}"


def usage_of_conversation(conversation: Conversation) -> Usage:
    """Sum every call made for a conversation, its title's included, in one query."""
    calls = Generation.objects.filter(conversation=conversation).order_by().values_list(*_Call._fields)
    return _sum(map(_Call._make, calls))


def usage_of(calls: Iterable[Generation]) -> Usage:
    """Sum calls that are loaded already, with their models."""
    return _sum(
        _Call(
            call.status,
            call.started_at,
            call.input_tokens,
            call.cached_tokens,
            call.output_tokens,
            call.reasoning_tokens,
            call.cost,
            call.usage_source,
            call.model.is_local,
        )
        for call in calls
    )


def _sum(calls: Iterable[_Call]) -> Usage:
    """Sum calls here rather than in the database, whose query of ten conditional sums takes Django longer to write."""
    ended = [call for call in calls if call.status not in Generation.OPEN]
    # Of these, one that ended without a cost is unknown, not free.
    used = [call for call in ended if Generation.has_used(call.status, call.started_at, call.output_tokens)]
    paid = [call for call in used if not call.model__is_local]
    costs = [call.cost for call in ended if call.cost is not None]
    input_tokens = sum(call.input_tokens or 0 for call in ended)
    output_tokens = sum(call.output_tokens or 0 for call in ended)
    is_uncounted = any(call.output_tokens is None for call in used)
    return Usage(
        input_tokens=input_tokens,
        cached_tokens=sum(call.cached_tokens or 0 for call in ended),
        output_tokens=output_tokens,
        reasoning_tokens=sum(call.reasoning_tokens or 0 for call in ended),
        cost=sum(costs, start=Decimal(0)) if costs else None,
        has_usage=bool(is_uncounted or input_tokens or output_tokens),
        is_free=bool(used) and not paid,
        is_estimated=any(call.usage_source == Generation.UsageSource.ESTIMATED for call in ended),
        is_uncounted=is_uncounted,
        is_unpriced=any(call.cost is None for call in paid),
    )
