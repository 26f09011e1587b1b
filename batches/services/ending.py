"""How a batch ends, in the transaction of whoever ends it."""

from __future__ import annotations

from django.db.models import Count
from django.utils import timezone

from batches.models import KEPT, Batch


def end_batch(batch: Batch, state: Batch.State, problem: str = "") -> None:
    """End a batch, with how many of its prompts came to which end; the caller has taken the turn."""
    now = timezone.now()
    batch.state = state
    batch.paused_until, batch.problem, batch.troubles = None, problem[:500], 0
    batch.ended_at, batch.expires_at = now, now + KEPT
    batch.save(update_fields=["state", "paused_until", "problem", "troubles", "ended_at", "expires_at"])
    count_items(batch)


def count_items(batch: Batch) -> None:
    """Note how many prompts of a batch that has ended came to which end; the caller has taken the turn."""
    batch.counts = dict(batch.items.order_by().values_list("status").annotate(number=Count("*")))
    batch.save(update_fields=["counts"])
