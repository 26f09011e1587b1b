"""How Django answers a request here: in one thread, rather than going to it and back for each middleware."""

from __future__ import annotations

from typing import Any

from asgiref.sync import iscoroutinefunction, sync_to_async
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.base import BaseHandler
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import Resolver404, resolve


class Handler(ASGIHandler):
    """Django's own for ASGI, which hands what most middlewares do to a thread, one after the other, twice each.

    Where the view is a plain function nothing has to wait in the event loop, so all of them and the view run as they
    do under WSGI: in the request's thread, one after the other. Streams and other views that are coroutines go the
    usual way.
    """

    def __init__(self) -> None:
        super().__init__()
        plain = BaseHandler()
        plain.load_middleware()
        self._in_thread = sync_to_async(plain.get_response, thread_sensitive=True)

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        """Answer a request."""
        answer: Any = self._in_thread if _is_plain(request.path_info) else super().get_response_async
        response: HttpResponseBase = await answer(request)
        return response


def _is_plain(path: str) -> bool:
    try:
        return not iscoroutinefunction(resolve(path).func)
    except Resolver404:
        return False
