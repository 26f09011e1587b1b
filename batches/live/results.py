"""Results of batches on their way to their owner: read piece by piece as fast as they are taken, and no faster."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID
from weakref import WeakKeyDictionary

from django.db import connections
from django.http import Http404, HttpResponse, HttpResponseBase, StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request

from accounts.access import Access
from accounts.models import User
from accounts.tokens import still_holds
from batches.models import Batch
from batches.results import result_pieces
from conversations.files import content_disposition
from conversations.files.streaming import Begun, Stream
from conversations.live.download import GUARDS
from conversations.live.session import person_of
from rest.problems import Problem
from rest.schema import documented, example
from rest.views import LiveView

MEDIA_TYPE = "application/x-ndjson"
MAX_AT_ONCE = 2  # of one person, in each web process
RETRY_AFTER_SECONDS = 30
RECHECK_SECONDS = 30.0
EXPIRED = "The result could be had for 30 days. The conversations are still there."

_pool = ThreadPoolExecutor(max_workers=2, thread_name_prefix="batches")
_running: WeakKeyDictionary[Stream, int] = WeakKeyDictionary()


class NotAllowed(Exception):
    """The session or token ended while a result was on its way."""


class BatchResultView(LiveView):
    """`batches/{id}/result/`."""

    def perform_content_negotiation(self, request: Request, force: bool = False) -> tuple[BaseRenderer, str]:
        """Let lines be asked for; what goes wrong is told as JSON all the same."""
        if MEDIA_TYPE in request.headers.get("Accept", "").lower():
            return JSONRenderer(), "application/json"
        return super().perform_content_negotiation(request, force)

    @documented(
        operation_id="get_batch_result",
        summary="Have the result of a batch",
        description="A line of JSON for each prompt, in the order of the file: `line`, `custom_id`, `status`, "
        "`conversation`, `message`, `text`, `usage`, `error`. It tells how far the batch has come, so it can be had at "
        "any time until 30 days after the batch has ended (410). What was deleted since has no text in it.",
        responses={(200, MEDIA_TYPE): OpenApiTypes.STR},
        examples=[
            example(
                "One line",
                '{"line": 1, "custom_id": "letter-17", "status": "completed", '
                '"conversation": "01936f3c-7a60-7c5e-9d2b-5b0b6f1c2a11", '
                '"message": "01936f3c-7a60-7c5e-9d2b-5b0b6f1c2a12", "text": "Dear Sir or Madam, …", '
                '"usage": {"input_tokens": 12, "output_tokens": 240, "total_tokens": 252, "cost": "0.00243000", '
                '"is_estimated": false}, "error": null}\n',
                status=200,
            )
        ],
    )
    async def get(self, request: Request, pk: UUID) -> HttpResponseBase:
        """Hand out the result of a batch."""
        batch = await self.in_thread(_find, self.user, pk)
        headers = {
            "Content-Type": MEDIA_TYPE,
            "Content-Disposition": content_disposition(f"{batch.name}.jsonl", inline=False),
        } | GUARDS
        if request.method == "HEAD":
            return HttpResponse(headers=headers)
        if sum(person == batch.owner_id and not stream.is_done for stream, person in _running.items()) >= MAX_AT_ONCE:
            words = f"{MAX_AT_ONCE} results are on their way to you already. Take them first."
            raise Problem(429, "too_many_results", words, retry_after=RETRY_AFTER_SECONDS)
        session_key = request.session.session_key or "" if self.access.kind == "session" else ""
        stream = Stream(lambda: _Reader(batch, self.access, session_key), pool=_pool)
        _running[stream] = batch.owner_id
        # Whether the database gives it is known with the first piece, while another status can still be told.
        first = await anext(stream, b"")
        return StreamingHttpResponse(Begun(first, stream), headers=headers)


def _find(user: User, pk: UUID) -> Batch:
    batch = Batch.objects.visible_to(user).select_related("owner").filter(pk=pk).first()
    if batch is None:
        raise Http404
    if batch.state == Batch.State.EXPIRED:
        raise Problem(410, "result_expired", EXPIRED)
    return batch


class _Reader:
    """A result as a Stream reads it. Each piece may come from another thread, one at a time."""

    def __init__(self, batch: Batch, access: Access, session_key: str) -> None:
        self._pieces = result_pieces(batch)
        self._owner_id = batch.owner_id
        self._access, self._session_key = access, session_key
        self._checked = time.monotonic()

    def read(self, _amount: int, /) -> bytes:
        """Return the next piece, whatever its size. Raises NotAllowed where the person may not go on, and NotWhole."""
        try:
            if time.monotonic() - self._checked > RECHECK_SECONDS:
                if not self._is_let_in():
                    raise NotAllowed
                self._checked = time.monotonic()
            return next(self._pieces, b"")
        finally:
            connections.close_all()

    def close(self) -> None:
        """Let go of what is open."""
        self._pieces.close()

    def _is_let_in(self) -> bool:
        if self._access.kind == "session":
            person = person_of(self._session_key)
            return person is not None and person.pk == self._owner_id
        return still_holds(user_id=self._owner_id, access=self._access)
