"""Who is acting: signals of Django tell what was changed, and not by whom."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import TYPE_CHECKING

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.decorators import sync_and_async_middleware

if TYPE_CHECKING:
    from accounts.models import User

type Handler = Callable[[HttpRequest], HttpResponseBase] | Callable[[HttpRequest], Awaitable[HttpResponseBase]]

_request: ContextVar[HttpRequest | None] = ContextVar("request", default=None)


def actor() -> User | None:
    """Return the person whose request is being answered; None outside of any, where the system itself acts."""
    request = _request.get()
    if request is None or not request.user.is_authenticated:
        return None
    return request.user


@sync_and_async_middleware
def remember_who(get_response: Handler) -> Handler:
    """Keep the request where `actor` finds it, in the thread of its view too. Async-capable: it costs no thread."""
    if iscoroutinefunction(get_response):

        async def answer_async(request: HttpRequest) -> HttpResponseBase:
            token = _request.set(request)
            try:
                return await get_response(request)  # type: ignore[no-any-return]
            finally:
                _request.reset(token)

        return answer_async

    def answer(request: HttpRequest) -> HttpResponseBase:
        token = _request.set(request)
        try:
            return get_response(request)  # type: ignore[return-value]
        finally:
            _request.reset(token)

    return answer
