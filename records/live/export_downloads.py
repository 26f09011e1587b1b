"""Exports on their way to whoever has the right to them: a part, also in pieces of it, or all parts as one ZIP."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

from asgiref.sync import sync_to_async
from django.contrib import admin
from django.contrib.auth.views import redirect_to_login
from django.db import connection, connections
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.template.loader import render_to_string
from django.utils.cache import add_never_cache_headers
from django.views.decorators.http import require_safe

from audit.services import Detail
from conversations.files import content_disposition, storage
from conversations.files.streaming import Begun, Stream
from conversations.live.download import GUARDS, answer
from conversations.live.session import person_of
from records import sitting
from records.exporting.archive import zip_pieces
from records.models import BulkExport, BulkExportPart
from records.services.bulk_exporting import OBJECT_TYPE

RECHECK_SECONDS = 30.0
RETRY_AFTER_SECONDS = "10"

_pool = ThreadPoolExecutor(max_workers=2, thread_name_prefix="bulk-exports")


class NotAllowed(Exception):
    """The person's session or right, or the export itself, ended while it was on its way."""


@require_safe
async def part(request: HttpRequest, pk: UUID, number: int) -> HttpResponseBase:
    """Hand out one part of an export that is there; each time it is written down first."""

    def find(export: BulkExport) -> BulkExportPart:
        found = export.parts.filter(pk=number).first()
        if found is None:
            raise Http404
        _note(request, export, {"part": found.name, "owners": found.owners})
        return found

    return await answer(request, await sync_to_async(_find)(request, pk, find))


@require_safe
async def archive(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    """Hand out all of an export as one ZIP; each time it is written down first."""

    def find(export: BulkExport) -> BulkExport:
        owners: set[int] = set()
        for some in export.parts.values_list("owners", flat=True).iterator():
            owners.update(some)
        _note(request, export, {"part": "all", "owners": sorted(owners)})
        return export

    export = await sync_to_async(_find)(request, pk, find)
    if isinstance(export, HttpResponse):
        return export
    headers = {
        "Content-Type": "application/zip",
        "Content-Disposition": content_disposition(f"Verbatim export {export.pk}.zip", inline=False),
        "Cache-Control": "private, no-store",
    } | GUARDS
    if request.method == "HEAD":
        return HttpResponse(headers=headers)
    session_key = request.session.session_key or ""
    stream = Stream(lambda: _Reader(export, session_key), pool=_pool)
    try:
        # Whether storage gives it is known with the first piece, while another status can still be told.
        first = await anext(stream, b"")
    except storage.StorageProblem:
        text = render_to_string("conversations/file_away.html")
        return HttpResponse(text, status=503, headers={"Retry-After": RETRY_AFTER_SECONDS, "Cache-Control": "no-store"})
    return StreamingHttpResponse(Begun(first, stream), headers=headers)


class _Reader:
    """An archive as a Stream reads it. Each piece may come from another thread, one at a time."""

    def __init__(self, export: BulkExport, session_key: str) -> None:
        self._export, self._session_key = export, session_key
        self._pieces = zip_pieces(export)
        self._checked = time.monotonic()

    def read(self, _amount: int, /) -> bytes | None:
        """Return the next piece; None where it is not ready yet. Raises NotAllowed where the person may not go on."""
        try:
            if time.monotonic() - self._checked > RECHECK_SECONDS:
                person = person_of(self._session_key)
                if person is None or not BulkExport.objects.visible_to(person).filter(pk=self._export.pk).exists():
                    raise NotAllowed
                self._checked = time.monotonic()
            piece = next(self._pieces, None)
            return b"" if piece is None else piece or None
        finally:
            connections.close_all()

    def close(self) -> None:
        """Let go of what is open."""
        self._pieces.close()


def _find[Found](request: HttpRequest, pk: UUID, find: Callable[[BulkExport], Found]) -> Found | HttpResponse:
    """Return what is wanted of an export that is there, or where to go first. Leaves no connection open.

    Raises Http404 for who may not export, as for what is not there.
    """
    try:
        user = request.user
        if not user.is_authenticated:
            return _uncached(redirect_to_login(request.get_full_path()))
        may_have = admin.site.has_permission(request)
        export = BulkExport.objects.visible_to(user).filter(pk=pk).first() if may_have else None
        if export is None or not export.is_there:
            raise Http404
        if sitting.reason(request) is None:
            return _uncached(sitting.ask(request))
        return find(export)
    finally:
        connection.close()


def _note(request: HttpRequest, export: BulkExport, details: dict[str, Detail]) -> None:
    if request.method == "GET":
        sitting.note(request, "export.downloaded", OBJECT_TYPE, export.pk, export.filters.get("owner"), details)


def _uncached(response: HttpResponse) -> HttpResponse:
    add_never_cache_headers(response)
    return response
