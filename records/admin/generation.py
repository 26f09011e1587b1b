"""Model calls: what was asked of whom, what came of it, what it cost."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from conversations.models import Generation
from records.admin.read import ReadAdmin


def _or_unknown(name: str) -> Callable[[Any, Generation], str]:
    """Return a column that says "unknown" where nothing is known, which is neither 0 nor nothing."""

    @admin.display(description=name.replace("_", " "), ordering=name)
    def column(_: Any, generation: Generation) -> str:
        value = getattr(generation, name)
        return "unknown" if value is None else str(value)

    return column


@admin.register(Generation)
class GenerationAdmin(ReadAdmin):
    """Every model call, newest first. The list shows nothing that anybody wrote, so it asks for no reason."""

    noun = "call"
    to_conversation = "conversation"
    lists_text = False
    list_display = (
        "created_at",
        "purpose",
        "model_asked",
        "status",
        "shown_input_tokens",
        "shown_output_tokens",
        "shown_cost",
        "error_code",
    )
    list_filter = ("purpose", "status", "usage_source", "model")
    readonly_fields = (
        "shown_input_tokens",
        "shown_cached_tokens",
        "shown_output_tokens",
        "shown_reasoning_tokens",
        "shown_cost",
    )
    ordering = ("-id",)
    fieldsets = (
        (None, {"fields": (("purpose", "status"), "conversation", "message", ("step", "attempt", "job_id"), "id")}),
        (
            "As sent",
            {"fields": (("model", "model_asked"), "parameters", "instructions", ("first_message", "omitted_messages"))},
        ),
        (
            "As answered",
            {
                "fields": (
                    ("model_answered", "finish_reason"),
                    ("response_id", "request_id"),
                    ("error_code", "error_detail"),
                )
            },
        ),
        (
            "Usage and cost",
            {
                "fields": (
                    ("shown_input_tokens", "shown_cached_tokens", "shown_output_tokens", "shown_reasoning_tokens"),
                    ("usage_source", "price", "shown_cost"),
                    ("reserved_tokens", "reserved_cost"),
                )
            },
        ),
        ("Times", {"fields": (("created_at", "started_at", "first_text_at", "finished_at"),)}),
    )

    shown_input_tokens = _or_unknown("input_tokens")
    shown_cached_tokens = _or_unknown("cached_tokens")
    shown_output_tokens = _or_unknown("output_tokens")
    shown_reasoning_tokens = _or_unknown("reasoning_tokens")
    shown_cost = _or_unknown("cost")

    def owner_of(self, row: Generation) -> int | None:
        return row.conversation.owner_id if row.conversation else None

    def conversation_of(self, row: Generation) -> str | None:
        return str(row.conversation_id) if row.conversation_id else None

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Leave long columns out of the list; the page of one call fetches them."""
        return super().get_queryset(request).defer("instructions", "parameters", "error_detail")
