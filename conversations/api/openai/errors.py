"""Errors as programs expect them that speak to OpenAI ("Error codes" in OpenAI's guides)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from procrastinate.exceptions import ConnectorException
from rest_framework.response import Response

from conversations.outages import AWAY
from rest.problems import FieldError, Problem, problem_of

SHOULD_RETRY = "X-Should-Retry"
"""What OpenAI's clients heed before their own rules: they would say again what is on record already."""
RETRY_AFTER_SECONDS = 10
_TYPES = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}
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
    problem = _unavailable() if isinstance(raised, (*AWAY, ConnectorException)) else problem_of(raised)
    if problem is None:
        return None
    headers = problem.all_headers()
    if problem.code not in _NOTHING_DONE:
        headers[SHOULD_RETRY] = "false"
    return Response({"error": told(problem)}, _status(problem), headers=headers, content_type="application/json")


def told(problem: Problem) -> dict[str, Any]:
    """Return a problem as the error object of an answer, or of an event."""
    status = _status(problem)
    param = next((error["field"] for error in problem.errors if error["field"]), None)
    kind = _TYPES.get(status) or ("server_error" if status >= 500 else "invalid_request_error")
    return {"message": problem.detail, "type": kind, "param": param, "code": problem.code}


def _status(problem: Problem) -> int:
    return 400 if problem.status == 422 else problem.status  # which OpenAI does not use
