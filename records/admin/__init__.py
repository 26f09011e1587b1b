"""The back office: a reading room for the record."""

from records.admin import (
    attachment,
    audit,
    batch,
    conversation,
    export,
    feedback,
    generation,
    hold,
    message,
    retention,
    review,
    review_policy,
    run,
    sealing,
    usage,
    usage_day,
)

__all__ = [
    "attachment",
    "audit",
    "batch",
    "conversation",
    "export",
    "feedback",
    "generation",
    "hold",
    "message",
    "retention",
    "review",
    "review_policy",
    "run",
    "sealing",
    "usage",
    "usage_day",
]
