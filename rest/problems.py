"""Errors as problem details (RFC 9457): one shape for whatever goes wrong, wherever it does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any, TypedDict

from django.core.exceptions import (
    NON_FIELD_ERRORS,
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
    TooManyFieldsSent,
    TooManyFilesSent,
    ValidationError,
)
from django.http import Http404, UnreadablePostError
from rest_framework import exceptions
from rest_framework.response import Response

MEDIA_TYPE = "application/problem+json"
_TYPE = "urn:verbatim:problem:"


class FieldError(TypedDict):
    """What is wrong with one field; `field` is where it stands, such as `history[2].role`, or empty for the whole."""

    field: str
    message: str


class Problem(Exception):
    """A request that is answered with an error. Whoever raises it has written nothing, unless it `is_on_record`.

    `detail` is a sentence for people, `code` a word for programs, which never changes; `retry_after` seconds after
    which the same request may do. What `is_on_record` was done and has failed: the same Idempotency-Key does it anew.
    """

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        errors: Iterable[FieldError] = (),
        retry_after: int | None = None,
        headers: Mapping[str, str] | None = None,
        is_on_record: bool = False,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.errors = list(errors)
        self.retry_after = retry_after
        self.headers = dict(headers or {})
        self.is_on_record = is_on_record

    def body(self) -> dict[str, Any]:
        """Return what the answer says."""
        return {
            "type": _TYPE + self.code,
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            "errors": self.errors,
        }

    def all_headers(self) -> dict[str, str]:
        """Return the headers that go with it."""
        waits = {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}
        return self.headers | waits


type Translator = Callable[[Any], Problem]
_translators: dict[type[Exception], Translator] = {}


def translates(kind: type[Exception]) -> Callable[[Translator], Translator]:
    """Have exceptions of this class, raised in any view, told as the problem that the decorated function returns."""

    def register(function: Translator) -> Translator:
        _translators[kind] = function
        return function

    return register


def handle(raised: Exception, context: Mapping[str, Any]) -> Response | None:
    """Answer what a view raised (the REST framework's EXCEPTION_HANDLER); None for faults of our own."""
    problem = problem_of(raised)
    if problem is None:
        return None
    return Response(problem.body(), problem.status, headers=problem.all_headers(), content_type=MEDIA_TYPE)


def problem_of(raised: Exception) -> Problem | None:
    """Return an exception as a problem; None where it is a fault of our own."""
    if isinstance(raised, Problem):
        return raised
    for kind in type(raised).__mro__:
        if kind in _translators:
            return _translators[kind](raised)
    if isinstance(raised, exceptions.APIException):
        return _of_framework(raised)
    return _of_django(raised)


def invalid(errors: Iterable[FieldError], *, status: int = 400) -> Problem:
    """Return the problem of a request in which these fields are wrong."""
    errors = list(errors)
    said = [f"{error['field']}: {error['message']}" if error["field"] else error["message"] for error in errors]
    return Problem(status, "invalid", " ".join(said[:5]) or "The request cannot be used.", errors=errors)


def _of_framework(raised: exceptions.APIException) -> Problem:
    if isinstance(raised, exceptions.ValidationError):
        return invalid(flat(raised.detail))
    if isinstance(raised, exceptions.NotFound):
        return not_found()
    headers = {}
    if challenge := getattr(raised, "auth_header", None):
        headers["WWW-Authenticate"] = str(challenge)
    if isinstance(raised, exceptions.Throttled):
        wait = max(1, round(getattr(raised, "wait", None) or 1))
        return Problem(429, "throttled", f"These are too many requests. Try again in {wait} s.", retry_after=wait)
    code = raised.get_codes()
    words = raised.detail if isinstance(raised.detail, str) else raised.default_detail
    return Problem(raised.status_code, code if isinstance(code, str) else "error", str(words), headers=headers)


def _of_django(raised: Exception) -> Problem | None:
    match raised:
        case Http404():
            return not_found()
        case PermissionDenied():
            return Problem(403, "permission_denied", str(raised) or "You may not do this.")
        case RequestDataTooBig():
            return Problem(413, "too_large", "The body is too large.")
        case TooManyFieldsSent() | TooManyFilesSent():
            return Problem(400, "too_many_fields", "The form has too many fields or files.")
        case UnreadablePostError():
            return Problem(400, "unreadable", "The body did not arrive whole.")
        case SuspiciousOperation():
            return Problem(400, "bad_request", "The request cannot be understood.")
        case ValidationError():
            return invalid(_of_validation(raised))
        case _:
            return None


def not_found() -> Problem:
    """Return what is said of everything that is not there, or not for this person."""
    return Problem(404, "not_found", "There is nothing here, or nothing that is yours.")


def _of_validation(raised: ValidationError) -> list[FieldError]:
    if not hasattr(raised, "error_dict"):
        return [FieldError(field="", message=message) for message in raised.messages]
    return [
        FieldError(field="" if name == NON_FIELD_ERRORS else name, message=message)
        for name, messages in raised.message_dict.items()
        for message in messages
    ]


def flat(detail: Any, path: str = "") -> list[FieldError]:
    """Return the nested errors of serializers as a list, each with the path to where it stands."""
    if isinstance(detail, Mapping):
        return [error for key, inner in detail.items() for error in flat(inner, _joined(path, key))]
    if isinstance(detail, list | tuple):
        return [
            error
            for number, inner in enumerate(detail)
            for error in flat(inner, f"{path}[{number}]" if isinstance(inner, Mapping | list) else path)
        ]
    return [FieldError(field=path, message=str(detail))]


def _joined(path: str, key: object) -> str:
    if isinstance(key, int):
        return f"{path}[{key}]"
    if key == "non_field_errors":
        return path
    return f"{path}.{key}" if path else str(key)
