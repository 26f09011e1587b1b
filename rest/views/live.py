"""Resources that wait or stream: the same rules under asyncio, and no database connection while they do."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from rest import idempotency
from rest.models import IdempotentRequest
from rest.threads import in_thread
from rest.views.resource import ResourceView


class LiveView(ResourceView):
    """A `ResourceView` whose handlers may be `async def`; those that are not run in a thread from end to end.

    In an `async def` handler whatever touches the database goes through `in_thread`. What such a handler does is to be
    done once only under `idempotency_token`: where its client goes away, or gets a stream, the same request with the
    same key is carried out again.
    """

    view_is_async = True
    sign_of_life_seconds = 15.0

    async def in_thread[Result](self, function: Callable[..., Result], *args: Any, **kwargs: Any) -> Result:
        """Run a function of Django's in the request's own thread, and give its connection back to the pool."""
        return await in_thread(function, *args, **kwargs)

    async def dispatch(  # type: ignore[override]
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> HttpResponseBase:
        """Carry out a request from beginning to end."""
        self._prepare(request, args, kwargs)
        is_ours = request.method in self.allowed_methods
        if not is_ours or not iscoroutinefunction(self._handler()):
            return await asyncio.shield(self.in_thread(self._whole))
        try:
            early = await self.in_thread(self._begin)
            response = early or await self._await_answer()
        except asyncio.CancelledError:  # the client went away
            if self.idempotent is not None:
                await asyncio.shield(self.in_thread(idempotency.leave_open, self.idempotent))
            raise
        except Exception as raised:  # noqa: BLE001 (told as a problem, or raised again)
            response = await self.in_thread(self._fail, raised)
        return await self.in_thread(self._end, response)

    def _whole(self) -> HttpResponseBase:
        try:
            response = self._begin() or self._carry_out()
        except Exception as raised:  # noqa: BLE001 (told as a problem, or raised again)
            response = self._fail(raised)
        return self._end(response)

    async def _await_answer(self) -> HttpResponseBase:
        wanted = self.request.headers.get("If-Match")
        if wanted is not None and self.request.method in ("PUT", "PATCH", "DELETE"):
            await self.in_thread(self._check_match, wanted)
        async with self._living(self.idempotent):
            return await self._handler()(self.request, *self.args, **self.kwargs)  # type: ignore[no-any-return]

    @contextlib.asynccontextmanager
    async def _living(self, row: IdempotentRequest | None) -> AsyncIterator[None]:
        """Meanwhile show, every now and then, that the request is being carried out."""
        if row is None:
            yield
            return
        task = asyncio.create_task(self._show_life(row))
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _show_life(self, row: IdempotentRequest) -> None:
        while True:
            await asyncio.sleep(self.sign_of_life_seconds)
            with contextlib.suppress(Exception):  # a database that is away; the next time may do
                await self.in_thread(idempotency.show_life, row)
