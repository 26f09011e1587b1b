"""A resource: who may use it, what it takes, and what goes with every answer."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from django.db import Error, connection, transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from rest_framework.exceptions import MethodNotAllowed
from rest_framework.permissions import SAFE_METHODS
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from accounts.access import Access, Scope, may_read_all
from rest import idempotency, tags
from rest.models import IdempotentRequest
from rest.problems import FieldError, Problem, invalid
from rest.requests import Request

if TYPE_CHECKING:
    from accounts.models import User


class ResourceView(APIView):
    """A view of the API. Handlers are `get`, `post` …, each `documented`; they return a `Response` or raise.

    What holds for all of them: JSON alone; 405 before anything else; a token, a bearer token of the company's sign-in
    or the session of a browser (with CSRF); the scope of the method; limits per minute; no parameters in the address
    that are not documented; Idempotency-Key with POST; ETag and If-None-Match with GET, If-Match with PUT, PATCH and
    DELETE; no answer is kept by anybody in between.
    """

    http_method_names = ["get", "head", "post", "put", "patch", "delete"]
    scopes: ClassVar[Mapping[str, Scope]] = {}
    """The scope that a method needs, where it is neither READ (safe methods) nor WRITE (the others)."""
    answering: ClassVar[frozenset[str]] = frozenset()
    """The methods that start answers, and so count for API_ANSWERS_PER_MINUTE too."""
    patience: ClassVar[timedelta] = idempotency.SILENCE
    """How long a POST may be silent before the same one takes its place."""

    idempotent: IdempotentRequest | None = None

    @property
    def user(self) -> User:
        """Who asks."""
        return self.request.user  # type: ignore[return-value]

    @property
    def access(self) -> Access:
        """What the request may do."""
        return self.request.auth  # type: ignore[return-value]

    @property
    def may_read_all(self) -> bool:
        """Whether it may read what others wrote."""
        return may_read_all(self.user, self.access)

    @property
    def idempotency_token(self) -> UUID | None:
        """A UUID that stands for the request's Idempotency-Key while that is kept; None where it has no key.

        What is made under it, where that can be made once only, is not doubled by the same request after a crash.
        """
        return None if self.idempotent is None else idempotency.token_for(self.idempotent)

    def read(self, serializer: type[Serializer[Any]], **context: Any) -> dict[str, Any]:
        """Return what the body says, as the serializer understands it. Raises ValidationError (400)."""
        return _validated(serializer(data=self.request.data, context={"view": self, **context}))

    def query(self, serializer: type[Serializer[Any]], **context: Any) -> dict[str, Any]:
        """Return what stands behind the `?` of the address, in the same way; a parameter stands there once."""
        parameters = self.request.query_params.dict()  # in a QueryDict what is not there is false, as in forms
        found = serializer(data=parameters, context={"view": self, "is_text": True, **context})
        return _validated(found)

    def scope_of(self, method: str | None) -> Scope:
        """Return the scope that this method needs."""
        method = "GET" if method in (None, "HEAD") else method
        return self.scopes.get(str(method), Scope.READ if method in SAFE_METHODS else Scope.WRITE)

    def starts_answer(self, method: str | None) -> bool:
        """Tell whether this method counts as the start of an answer."""
        return method in self.answering

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        """Return the request as views see it."""
        return Request(
            request,
            parsers=self.get_parsers(),
            authenticators=self.get_authenticators(),
            negotiator=self.get_content_negotiator(),
            parser_context=self.get_parser_context(request),
        )

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Carry out a request from beginning to end."""
        self._prepare(request, args, kwargs)
        try:
            response = self._begin() or self._carry_out()
        except Exception as raised:  # noqa: BLE001 (told as a problem, or raised again)
            response = self._fail(raised)
        return self._end(response)

    def _prepare(self, request: HttpRequest, args: Any, kwargs: Any) -> None:
        self.args, self.kwargs = args, kwargs
        self.request = self.initialize_request(request, *args, **kwargs)
        self.headers = self.default_response_headers

    def _handler(self) -> Callable[..., Any]:
        handler: Callable[..., Any] = getattr(self, str(self.request.method).lower())
        return handler

    def _begin(self) -> HttpResponse | None:
        """Let the request in, or raise. Returns the answer where it was carried out before."""
        request = self.request
        if request.method not in self.allowed_methods:
            raise MethodNotAllowed(str(request.method))
        self.initial(request, *self.args, **self.kwargs)
        self._check_parameters()
        key = idempotency.key_of(request) if request.method == "POST" else None
        if key is None:
            return None
        row = idempotency.begin(
            user=self.user,
            key=key,
            method="POST",
            path=request.path_info[:500],
            fingerprint=idempotency.fingerprint_of(request),
            patience=self.patience,
        )
        if row.state == IdempotentRequest.State.ANSWERED:
            return HttpResponse(row.body, status=row.status, headers=idempotency.kept_headers(row))
        self.idempotent = row
        return None

    def _check_parameters(self) -> None:
        known: frozenset[str] | None = getattr(self._handler(), "query_names", None)
        if known is None:
            return
        wrong = [name for name in self.request.query_params if name not in known]
        doubled = [name for name, values in self.request.query_params.lists() if len(values) > 1]
        errors = [FieldError(field=name, message="There is no such parameter here.") for name in wrong]
        errors += [FieldError(field=name, message="This stands twice.") for name in doubled if name not in wrong]
        if errors:
            raise invalid(errors)

    def _carry_out(self) -> HttpResponseBase:
        wanted = self.request.headers.get("If-Match")
        if wanted is None or self.request.method not in ("PUT", "PATCH", "DELETE"):
            return self._handler()(self.request, *self.args, **self.kwargs)  # type: ignore[no-any-return]
        with transaction.atomic():
            with connection.cursor() as cursor:  # so that of two who read the same, one is told of the other
                cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [self.request.path_info])
            self._check_match(wanted)
            return self._handler()(self.request, *self.args, **self.kwargs)  # type: ignore[no-any-return]

    def _check_match(self, wanted: str) -> None:
        """Raise Problem (412) where what stands here is no longer what the client has read."""
        if not hasattr(self, "get"):
            raise Problem(412, "precondition_failed", "What is here has no ETag, so If-Match cannot hold.")
        response = self.get(self.request, *self.args, **self.kwargs)
        response = self.finalize_response(self.request, response, *self.args, **self.kwargs)
        if not tags.matches(wanted, tags.tag_of(response)):
            raise Problem(412, "precondition_failed", "This has changed since you read it. Nothing was done.")

    def _fail(self, raised: Exception) -> HttpResponse:
        """Return the answer to what was raised, or raise it again; either way the key of the request is free again."""
        row, self.idempotent = self.idempotent, None
        if row is not None:
            is_on_record = isinstance(raised, Problem) and raised.is_on_record
            # Where the database is away, the same request may come later all the same.
            with contextlib.suppress(Error):
                (idempotency.forget if is_on_record else idempotency.give_back)(row)
        return self.handle_exception(raised)

    def _end(self, response: Any) -> HttpResponseBase:
        response = self.finalize_response(self.request, response, *self.args, **self.kwargs)
        if isinstance(response, Response):
            tags.finish(self.request, response)
        if self.idempotent is not None:
            self._settle(self.idempotent, response)
        response.headers.setdefault("Cache-Control", "private, no-store")
        self.response = response
        return response  # type: ignore[no-any-return]

    def _settle(self, row: IdempotentRequest, response: HttpResponseBase) -> None:
        if isinstance(response, HttpResponse) and not response.streaming:
            idempotency.settle(row, response)
        else:
            idempotency.leave_open(row)


def _validated(serializer: Serializer[Any]) -> dict[str, Any]:
    serializer.is_valid(raise_exception=True)
    found: dict[str, Any] = serializer.validated_data
    return found
