"""The back office: a reading room for the record."""

from records.admin import (
    attachment,
    audit,
    conversation,
    export,
    feedback,
    generation,
    message,
    review,
    review_policy,
    sealing,
    usage,
    usage_day,
)

__all__ = [
    "attachment",
    "audit",
    "conversation",
    "export",
    "feedback",
    "generation",
    "message",
    "review",
    "review_policy",
    "sealing",
    "usage",
    "usage_day",
]
