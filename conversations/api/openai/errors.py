"""What goes wrong behind the door, told as its programs expect it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework.response import Response

from conversations.outages import AWAY_WITH_JOBS
from rest.openai_errors import SHOULD_RETRY, status_of, told
from rest.problems import FieldError, Problem, problem_of

RETRY_AFTER_SECONDS = 10
_NOTHING_DONE = frozenset({"throttled", "unavailable", "idempotency_in_progress"})


def wrong(param: str, message: str, code: str = "invalid_value", *, status: int = 400) -> Problem:
    """Return what is wrong with one parameter."""
    return Problem(status, code, message, errors=[FieldError(field=param, message=message)])


def not_known() -> Problem:
    """Return what is said where the database went away while a prompt was being said, or behind that."""
    words = "The database cannot be reached. The prompt may be on record: look before you send it again."
    return Problem(503, "not_known", words, retry_after=RETRY_AFTER_SECONDS)


def _unavailable() -> Problem:
    words = "The database cannot be reached. Try again in a moment."
    return Problem(503, "unavailable", words, retry_after=RETRY_AFTER_SECONDS)


def handle(raised: Exception, context: Mapping[str, Any]) -> Response | None:
    """Answer what a view of the door raised; None for faults of our own."""
    problem = _unavailable() if isinstance(raised, AWAY_WITH_JOBS) else problem_of(raised)
    if problem is None:
        return None
    headers = problem.all_headers()
    if problem.code not in _NOTHING_DONE:
        headers[SHOULD_RETRY] = "false"
    return Response({"error": told(problem)}, status_of(problem), headers=headers, content_type="application/json")
