"""Batches: who has how many prompts answered, and where these stand. What was said stands in the conversations."""

from __future__ import annotations

from django.contrib import admin

from batches.models import Batch, BatchItem, counts_of
from records.admin.record import RecordAdmin


@admin.register(Batch)
class BatchAdmin(RecordAdmin):
    """Every batch, newest first."""

    list_display = ("created_at", "name", "owner", "assistant", "total", "state", "ended_at")
    list_filter = ("state", "created_at", "assistant")
    list_select_related = ("owner", "assistant")
    search_fields = ("owner__username", "owner__email", "owner__first_name", "owner__last_name")
    search_help_text = "Name or e-mail address of the person"
    ordering = ("-id",)
    fields = (
        ("name", "owner", "assistant"),
        ("state", "total", "progress"),
        ("paused_until", "problem"),
        ("created_at", "ended_at", "expires_at"),
    )
    readonly_fields = ("progress",)

    @admin.display(description="prompts")
    def progress(self, batch: Batch) -> str:
        """Return how many of its prompts stand where."""
        counts = counts_of([batch])[batch.pk]
        known = [(label, counts.get(value, 0)) for value, label in BatchItem.Status.choices]
        return ", ".join(f"{count:,} {str(label).lower()}" for label, count in known if count) or "–"
