"""How a batch ends, in the transaction of whoever ends it."""

from __future__ import annotations

from django.db.models import Count
from django.utils import timezone

from batches.models import KEPT, Batch


def end_batch(batch: Batch, state: Batch.State, problem: str = "") -> None:
    """End a batch, with how many of its prompts came to which end; the caller has taken the turn."""
    rows = batch.items.order_by().values_list("status").annotate(number=Count("*"))
    now = timezone.now()
    batch.state, batch.counts = state, dict(rows)
    batch.paused_until, batch.problem, batch.troubles = None, problem[:500], 0
    batch.ended_at, batch.expires_at = now, now + KEPT
    fields = ["state", "counts", "paused_until", "problem", "troubles", "ended_at", "expires_at"]
    batch.save(update_fields=fields)
