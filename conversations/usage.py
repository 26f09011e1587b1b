"""What answers and conversations used: tokens and money, with how far both are known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Aggregate, Count, Q, Sum

from conversations.models import Conversation, Generation

# A call that ended without a cost is unknown, not free, unless it failed before it used anything.
_ENDED = ~Q(status__in=Generation.OPEN)
_USED_NOTHING = Q(started_at__isnull=True) | Q(status=Generation.Status.FAILED, output_tokens__isnull=True)
_SUMS: dict[str, Aggregate] = {
    "sum_input": Sum("input_tokens", filter=_ENDED),
    "sum_cached": Sum("cached_tokens", filter=_ENDED),
    "sum_output": Sum("output_tokens", filter=_ENDED),
    "sum_reasoning": Sum("reasoning_tokens", filter=_ENDED),
    "sum_cost": Sum("cost", filter=_ENDED),
    "calls": Count("id", filter=_ENDED & ~_USED_NOTHING),
    "paid": Count("id", filter=_ENDED & ~_USED_NOTHING & Q(model__is_local=False)),
    "estimated": Count("id", filter=_ENDED & Q(usage_source=Generation.UsageSource.ESTIMATED)),
    "uncounted": Count("id", filter=_ENDED & ~_USED_NOTHING & Q(output_tokens__isnull=True)),
    "unpriced": Count("id", filter=_ENDED & ~_USED_NOTHING & Q(cost__isnull=True, model__is_local=False)),
}


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
    return _usage(Generation.objects.filter(conversation=conversation).aggregate(**_SUMS))


def usage_by_message(ids: Iterable[UUID]) -> dict[UUID, Usage]:
    """Sum the calls of each answer, in one query."""
    rows = Generation.objects.filter(message_id__in=ids).order_by().values("message_id").annotate(**_SUMS)
    return {row["message_id"]: _usage(row) for row in rows}


def _usage(row: Mapping[str, Any]) -> Usage:
    return Usage(
        input_tokens=row["sum_input"] or 0,
        cached_tokens=row["sum_cached"] or 0,
        output_tokens=row["sum_output"] or 0,
        reasoning_tokens=row["sum_reasoning"] or 0,
        cost=row["sum_cost"],
        has_usage=bool(row["uncounted"] or row["sum_input"] or row["sum_output"]),
        is_free=bool(row["calls"]) and not row["paid"],
        is_estimated=bool(row["estimated"]),
        is_uncounted=bool(row["uncounted"]),
        is_unpriced=bool(row["unpriced"]),
    )


def money(amount: Decimal) -> str:
    """Write US dollars for people: cents from a dollar on, below that two digits that count."""
    if not amount:
        return "$0.00"
    if amount >= 1:
        return f"${amount:,.2f}"
    if amount < Decimal("0.000001"):
        return "< $0.000001"
    return f"${amount:.{max(1 - amount.adjusted(), 2)}f}"
