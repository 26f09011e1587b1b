"""Model calls: what was asked of whom, what came of it, what it cost."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from conversations.admin.record import RecordAdmin
from conversations.models import Generation


@admin.register(Generation)
class GenerationAdmin(RecordAdmin):
    """Every model call, newest first."""

    list_display = (
        "created_at",
        "purpose",
        "model_asked",
        "status",
        "input_tokens",
        "output_tokens",
        "cost",
        "usage_source",
        "error_code",
    )
    list_filter = ("purpose", "status", "usage_source", "model")
    empty_value_display = "unknown"  # of tokens and cost above all: unknown is not 0
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
                    ("input_tokens", "cached_tokens", "output_tokens", "reasoning_tokens"),
                    ("usage_source", "price", "cost"),
                )
            },
        ),
        ("Times", {"fields": (("created_at", "started_at", "first_text_at", "finished_at"),)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Leave long columns out of the list; the page of one call fetches them."""
        return super().get_queryset(request).defer("instructions", "parameters", "error_detail")
