"""What a service says when it will not do a thing."""

from enum import StrEnum


class Refusal(StrEnum):
    """Why a request was refused, as a code that pages and the API share."""

    EMPTY = "empty"
    TOO_LONG = "too_long"
    BUSY = "busy"
    CONCLUDED = "concluded"
    NOT_CONCLUDED = "not_concluded"
    ASSISTANT_UNAVAILABLE = "assistant_unavailable"
    NO_MODEL = "no_model"
    TOKEN_REUSED = "token_reused"  # noqa: S105 (a code, not a password)
    NOT_RETRYABLE = "not_retryable"
    NOT_RUNNING = "not_running"
    NOT_EDITABLE = "not_editable"
    NOT_CONTINUABLE = "not_continuable"
    NO_PARENT = "no_parent"
    HISTORY = "history"
    FILE = "file"
    LIMIT = "limit"
    NOT_RATEABLE = "not_rateable"
    UNKNOWN_RATING = "unknown_rating"
    RENAMED = "renamed"
    TOO_MANY_PINNED = "too_many_pinned"
    TOO_LATE = "too_late"
    HELD = "held"
    REMOVED = "removed"
    NOT_ERASABLE = "not_erasable"


class Refused(Exception):
    """A request that a person can mend. Nothing was written and no model was called.

    `retry_after` says after how many seconds the same request may be granted, where that is known.
    """

    def __init__(self, code: Refusal, message: str, *, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.retry_after = retry_after

    @property
    def is_conflict(self) -> bool:
        """Whether the request is at odds with how things stand (409) rather than wrong in itself (422)."""
        return self.code in (
            Refusal.BUSY,
            Refusal.CONCLUDED,
            Refusal.NOT_CONCLUDED,
            Refusal.TOKEN_REUSED,
            Refusal.NOT_RETRYABLE,
            Refusal.NOT_RUNNING,
            Refusal.NOT_EDITABLE,
            Refusal.NOT_CONTINUABLE,
            Refusal.NO_PARENT,
            Refusal.HISTORY,
            Refusal.NOT_RATEABLE,
            Refusal.RENAMED,
            Refusal.TOO_MANY_PINNED,
            Refusal.TOO_LATE,
            Refusal.HELD,
            Refusal.REMOVED,
            Refusal.NOT_ERASABLE,
        )

    @property
    def status(self) -> int:
        """The HTTP status that says so."""
        if self.code == Refusal.LIMIT:
            return 429
        return 409 if self.is_conflict else 422
