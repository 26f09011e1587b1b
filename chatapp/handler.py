"""How Django answers a request here: in one thread, rather than going to it and back for each middleware."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from asgiref.sync import iscoroutinefunction, sync_to_async
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.base import BaseHandler
from django.db import close_old_connections
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import Resolver404, resolve

# They start as they are needed. So many, because while the database is away each request waits for it, for as long as
# the pool lets it; those that need none, or are told that it is away, are not to wait behind them.
THREADS = 500


class Handler(ASGIHandler):
    """Django's own for ASGI, which hands what most middlewares do to a thread, one after the other, twice each.

    Where the view is a plain function nothing has to wait in the event loop, so all of them and the view run as they
    do under WSGI: in one thread, one after the other. Streams and other views that are coroutines go the usual way.
    The threads stay, where Django would start one for every request, with new objects for the database in each.
    """

    def __init__(self) -> None:
        super().__init__()
        self._plain = BaseHandler()
        self._plain.load_middleware()
        threads = ThreadPoolExecutor(THREADS, thread_name_prefix="request")
        self._in_thread = sync_to_async(self._answer, thread_sensitive=False, executor=threads)

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        """Answer a request."""
        answer: Any = self._in_thread if _is_plain(request.path_info) else super().get_response_async
        response: HttpResponseBase = await answer(request)
        return response

    def _answer(self, request: HttpRequest) -> HttpResponseBase:
        try:
            return self._plain.get_response(request)
        finally:
            close_old_connections()


def _is_plain(path: str) -> bool:
    try:
        return not iscoroutinefunction(resolve(path).func)
    except Resolver404:
        return False
