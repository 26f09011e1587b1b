"""The bytes of files, for those who may have them: whole, in part, and as thumbnails.

Async, so that a slow reader holds neither a thread nor a database connection; never FileResponse, which under ASGI
would be read into memory.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from uuid import UUID

from asgiref.sync import sync_to_async
from django.contrib.auth.views import redirect_to_login
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.template.loader import render_to_string
from django.utils.cache import add_never_cache_headers
from django.views.decorators.http import require_safe

from conversations.files import FileProblem, content_disposition, storage
from conversations.files import thumbnail as draw_thumbnail
from conversations.files.streaming import Begun
from conversations.models import Attachment, SealedDocument

if TYPE_CHECKING:
    from accounts.models import User

logger = logging.getLogger(__name__)

RETRY_AFTER_SECONDS = "10"
THUMBNAIL_SECONDS = 24 * 3600  # that a browser keeps one; what it shows never changes
# Types that browsers cannot be made to run or draw as a page; everything else leaves as mere bytes.
_HARMLESS = re.compile(
    r"image/(png|jpeg|webp|gif)|application/(pdf|json|vnd\.[\w.+-]+|msword)|text/(plain|csv|markdown|tab-separated-values)"
)
_RANGE = re.compile(r"bytes\s*=\s*(\d{0,19})\s*-\s*(\d{0,19})", re.ASCII)
GUARDS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_drawing = asyncio.Semaphore(2)  # thumbnails at a time: each is a process of its own


class Held(Protocol):
    """A row whose bytes are in storage."""

    @property
    def pk(self) -> Any: ...
    @property
    def key(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def size(self) -> int | None: ...
    @property
    def sha256(self) -> str: ...
    @property
    def content_type(self) -> str: ...
    @property
    def is_image(self) -> bool: ...


class _Unsatisfiable(Exception):
    """A part that begins behind the end."""


@require_safe
async def download(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    """Hand a file to its owner: by a link of 60 s where storage gives one, else through this process.

    Always as a download, except for a raster image that is asked for with `?inline`. A file that storage has lost or
    that has another size there is answered with 404 and told in the log.
    """
    return await answer(request, await sync_to_async(_find)(request, pk))


@require_safe
async def sealed_document(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    """Hand the sealed document of a concluded conversation to its owner, in the same way."""
    return await answer(request, await sync_to_async(_find_sealed)(request, pk))


@require_safe
async def thumbnail(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    """Show an image of the person in small. It is drawn anew for each browser, which then keeps it."""
    return await answer_small(request, await sync_to_async(_find)(request, pk))


async def answer_small(request: HttpRequest, found: Attachment | HttpResponse) -> HttpResponseBase:
    """Answer with an image in small, for whoever has found that the reader may see it. Raises Http404."""
    if isinstance(found, HttpResponse):
        return found
    if not found.is_image:
        raise Http404
    headers = {
        "ETag": f'"{found.sha256}-thumbnail"',
        "Cache-Control": f"private, max-age={THUMBNAIL_SECONDS}, immutable",
        "Content-Disposition": "inline",
    } | GUARDS
    if headers["ETag"] in request.headers.get("If-None-Match", ""):
        return HttpResponse(status=304, headers=headers)
    try:
        image = await _draw(found.key)
    except (storage.StorageProblem, FileProblem) as problem:
        logger.warning("File %s has no thumbnail: %s", found.pk, problem)
        raise Http404 from problem
    return HttpResponse(image, content_type="image/webp", headers=headers)


def _find(request: HttpRequest, pk: UUID) -> Attachment | HttpResponse:
    """Return a file that the person may have, or where to sign in. Raises Http404. Leaves no connection open."""
    return _look(
        request, lambda user: Attachment.objects.visible_to(user).filter(pk=pk, state=Attachment.State.READY).first()
    )


def _find_sealed(request: HttpRequest, pk: UUID) -> SealedDocument | HttpResponse:
    return _look(request, lambda user: SealedDocument.objects.visible_to(user).filter(pk=pk).first())


def _look[Found](request: HttpRequest, find: Callable[[User], Found | None]) -> Found | HttpResponse:
    try:
        user = request.user
        if not user.is_authenticated:
            to_sign_in = redirect_to_login(request.get_full_path())
            add_never_cache_headers(to_sign_in)
            return to_sign_in
        found = find(user)
        if found is None:
            raise Http404
        return found
    finally:
        connection.close()


async def answer(request: HttpRequest, found: Held | HttpResponse) -> HttpResponseBase:
    """Answer with the bytes of a file, for whoever has found that the reader may have them. Raises Http404."""
    if isinstance(found, HttpResponse):
        return found
    try:
        return await hand_out(request, found)
    except storage.StorageProblem:
        return _away()


async def hand_out(request: HttpRequest, file: Held) -> HttpResponseBase:
    """Answer with the bytes of a file as its headers ask. Raises Http404 where they are lost, and StorageProblem."""
    try:
        return await _hand_out(request, file)
    except storage.ObjectMissing as problem:
        raise _lost(file, "missing") from problem
    except storage.StorageProblem as problem:
        logger.warning("File %s could not be read: %s", file.pk, problem)
        raise


async def _hand_out(request: HttpRequest, file: Held) -> HttpResponseBase:
    size = file.size or 0
    stored = await sync_to_async(storage.size_of, thread_sensitive=False)(file.key)
    if stored != size:
        raise _lost(file, "missing" if stored is None else f"{stored} bytes")
    is_inline = file.is_image and "inline" in request.GET
    content_type = file.content_type if _HARMLESS.fullmatch(file.content_type) else "application/octet-stream"
    if request.method == "GET" and not is_inline:
        link = await sync_to_async(storage.signed_url, thread_sensitive=False)(
            file.key, name=file.name, content_type=content_type
        )
        if link is not None:
            return HttpResponse(status=302, headers={"Location": link, "Cache-Control": "private, no-store"})
    headers = {
        "Content-Type": content_type,
        "Content-Disposition": content_disposition(file.name, inline=is_inline),
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, no-store",
        "ETag": f'"{file.sha256}"',
    } | GUARDS
    try:
        part = _part(request, size, headers["ETag"])
    except _Unsatisfiable:
        return HttpResponse(status=416, headers=headers | {"Content-Range": f"bytes */{size}"})
    start, end = part or (0, size)
    headers["Content-Length"] = str(end - start)
    if part is not None:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    status = 200 if part is None else 206
    if request.method == "HEAD" or size == 0:
        return HttpResponse(status=status, headers=headers)
    # To its end, the stream proves the hash of a whole file and keeps the last chunk back where it is wrong.
    chunks = storage.open_stream(file.key, start=start, end=None if end == size else end, sha256=file.sha256)
    # Whether storage gives it is known with the first chunk, while another status can still be told.
    first = await anext(chunks)
    return StreamingHttpResponse(Begun(first, chunks), status=status, headers=headers)


def _part(request: HttpRequest, size: int, etag: str) -> tuple[int, int] | None:
    """Return first and end of the one part that is asked for; None for the whole. Raises _Unsatisfiable.

    Several parts at once, or a header that makes no sense, are answered with the whole, as RFC 9110 allows.
    """
    asked = _RANGE.fullmatch(request.headers.get("Range", "").strip())
    if asked is None or request.headers.get("If-Range", etag) != etag:
        return None
    first, last = asked.groups()
    if first:
        if last and int(last) < int(first):
            return None
        start, end = int(first), min(int(last) + 1 if last else size, size)
    elif last:
        start, end = max(size - int(last), 0), size
    else:
        return None
    if start >= end:
        raise _Unsatisfiable
    return start, end


async def _draw(key: str) -> bytes:
    async with _drawing:
        with tempfile.NamedTemporaryFile(prefix="thumbnail-") as copy:
            async with contextlib.aclosing(storage.open_stream(key)) as chunks:
                async for chunk in chunks:
                    copy.write(chunk)
            copy.flush()
            return await sync_to_async(draw_thumbnail, thread_sensitive=False)(Path(copy.name))


def _away() -> HttpResponse:
    text = render_to_string("conversations/file_away.html")
    return HttpResponse(text, status=503, headers={"Retry-After": RETRY_AFTER_SECONDS, "Cache-Control": "no-store"})


def _lost(file: Held, how: str) -> Http404:
    """Tell the log that storage and the record differ, and return what the person gets."""
    logger.error("File %s is %s in storage; on record it has %s bytes.", file.pk, how, file.size)
    return Http404("The file is not in storage.")
