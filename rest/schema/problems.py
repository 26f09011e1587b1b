"""Problem details in the OpenAPI document: one schema, and an answer for each status."""

from __future__ import annotations

from typing import Any

from rest.problems import MEDIA_TYPE, Problem

_DETAILS = {
    "type": "object",
    "description": "Problem details (RFC 9457). `code` is for programs and never changes, `detail` is for people.",
    "required": ["type", "title", "status", "detail", "code", "errors"],
    "properties": {
        "type": {"type": "string", "description": "`urn:verbatim:problem:` and the code."},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {
                    "field": {"type": "string", "description": "Such as `history[2].role`; empty: the whole."},
                    "message": {"type": "string"},
                },
            },
        },
    },
}
_TOO_LONG = {"field": "title", "message": "Ensure this field has no more than 200 characters."}
_SHOWN = {
    400: ("The request cannot be used", Problem(400, "invalid", "title: …", errors=[_TOO_LONG])),  # type: ignore[list-item]
    401: ("Nobody signed in", Problem(401, "not_authenticated", "Authentication credentials were not provided.")),
    403: ("Not allowed", Problem(403, "scope_missing", "This needs the scope “write”, which the token does not have.")),
    404: ("Not there, or not yours", Problem(404, "not_found", "There is nothing here, or nothing that is yours.")),
    406: ("No such format", Problem(406, "not_acceptable", "Could not satisfy the request Accept header.")),
    409: (
        "At odds with how things stand",
        Problem(409, "busy", "An answer is being written. Wait for it, or stop it."),
    ),
    412: (
        "Changed since",
        Problem(412, "precondition_failed", "This has changed since you read it. Nothing was done."),
    ),
    413: ("Too large", Problem(413, "too_large", "The body is too large; it may have 2,000,000 bytes.")),
    415: ("Not this type", Problem(415, "unsupported_media_type", "Unsupported media type “text/plain” in request.")),
    422: ("Refused", Problem(422, "empty", "A message needs some text.")),
    429: ("Too much", Problem(429, "throttled", "These are too many requests. Try again in 17 s.", retry_after=17)),
    500: ("A fault of ours", Problem(500, "fault", "The fault is ours; it is written down.")),
    503: ("Away", Problem(503, "unavailable", "The service is not available at the moment. Try again soon.")),
}
_WAIT = {"Retry-After": {"description": "Seconds after which to ask again.", "schema": {"type": "integer"}}}


def components() -> dict[str, Any]:
    """Return what the document holds of problems (APPEND_COMPONENTS)."""
    return {"schemas": {"Problem": _DETAILS}, "responses": {f"Problem{status}": _answer(status) for status in _SHOWN}}


def references(*, method: str, has_body: bool, has_path: bool) -> dict[str, dict[str, str]]:
    """Return the problems that an operation may answer, by status."""
    writes = method not in ("GET", "HEAD")
    statuses = [400, 401, 403]
    statuses += [404] if has_path or writes else []
    statuses += [406]
    statuses += [409] if writes else []
    statuses += [412] if method in ("PUT", "PATCH", "DELETE") else []
    statuses += [413, 415] if has_body else []
    statuses += [422] if writes else []
    statuses += [429, 500, 503]
    return {str(status): {"$ref": f"#/components/responses/Problem{status}"} for status in statuses}


def _answer(status: int) -> dict[str, Any]:
    description, problem = _SHOWN[status]
    content = {"schema": {"$ref": "#/components/schemas/Problem"}, "example": problem.body()}
    answer: dict[str, Any] = {"description": description, "content": {MEDIA_TYPE: content}}
    return answer | ({"headers": _WAIT} if status in (409, 429, 503) else {})
