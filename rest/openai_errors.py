"""Problems as programs expect them that speak to OpenAI ("Error codes" in OpenAI's guides)."""

from __future__ import annotations

from typing import Any

from rest.problems import Problem

SHOULD_RETRY = "X-Should-Retry"
"""What OpenAI's clients heed before their own rules: they would say again what is on record already."""
_TYPES = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}


def told(problem: Problem) -> dict[str, Any]:
    """Return a problem as the error object of an answer."""
    status = status_of(problem)
    param = next((error["field"] for error in problem.errors if error["field"]), None)
    kind = _TYPES.get(status) or ("server_error" if status >= 500 else "invalid_request_error")
    return {"message": problem.detail, "type": kind, "param": param, "code": problem.code}


def status_of(problem: Problem) -> int:
    """Return the status to answer with, which OpenAI uses as well."""
    return 400 if problem.status == 422 else problem.status
