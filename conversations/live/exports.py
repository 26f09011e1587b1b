"""Exports on their way to browsers: read piece by piece as fast as the browser takes them, and no faster.

A piece is read by a thread of a few, which gives its database connection back; so a slow reader holds neither. Where
the database or storage fails in the middle the connection is cut, as nothing else tells a browser that a file is not
whole.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING
from uuid import UUID
from weakref import WeakKeyDictionary

from asgiref.sync import sync_to_async
from django.contrib.auth.views import redirect_to_login
from django.db import connection, connections
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from django.views.decorators.http import require_POST, require_safe

from audit.services import record_soon
from conversations.exporting import FORMATS, Chosen, Format, choose, safe_stem
from conversations.files import content_disposition
from conversations.files.streaming import Begun, Stream
from conversations.live.download import GUARDS
from conversations.live.session import person_of
from conversations.models import Conversation

if TYPE_CHECKING:
    from accounts.models import User

MAX_CHOSEN = 500  # conversations of a selection; whoever wants more takes all
MAX_AT_ONCE = 2  # exports of one person, in each web process
RETRY_AFTER_SECONDS = "30"
RECHECK_SECONDS = 30.0

# Few, as writing takes processor time that live answers want too.
_pool = ThreadPoolExecutor(max_workers=4, thread_name_prefix="exports")
_running: WeakKeyDictionary[Stream, int] = WeakKeyDictionary()


class SignedOut(Exception):
    """The person's session ended while an export was on its way."""


@require_safe
async def export(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    """Hand out one conversation in the form that `?format=` names: csv, jsonl, md or zip."""
    found = await sync_to_async(_choose)(request, [str(pk)])
    if isinstance(found, HttpResponse):
        return found
    return await _hand_out(request, found, request.GET.get("format", ""))


@require_POST
async def export_many(request: HttpRequest) -> HttpResponseBase:
    """Hand out a selection of conversations (`conversation`, several times), or all that are not hidden (`all=1`)."""
    is_all = request.POST.get("all") == "1"
    found = await sync_to_async(_choose)(request, None if is_all else request.POST.getlist("conversation"))
    if isinstance(found, HttpResponse):
        return found
    return await _hand_out(request, found, request.POST.get("format", ""))


def _choose(request: HttpRequest, wanted: list[str] | None) -> Chosen | HttpResponse:
    """Return what is to be exported, or why nothing is. Raises Http404. Leaves no connection open."""
    try:
        user = request.user
        if not user.is_authenticated:
            is_page = request.method in ("GET", "HEAD")
            to_sign_in = redirect_to_login(request.get_full_path() if is_page else reverse("conversations:list"))
            add_never_cache_headers(to_sign_in)
            return to_sign_in
        if wanted is None:
            return choose(person=user)
        if not wanted:
            return _refused(422, "Nothing was chosen", "Choose at least one conversation to export, or all of them.")
        if len(set(wanted)) > MAX_CHOSEN:
            words = f"You chose {len(set(wanted)):,} conversations; {MAX_CHOSEN} can go at a time. Export all instead."
            return _refused(422, "Too many were chosen", words)
        return choose(person=user, ids=[UUID(text) for text in wanted])
    except (ValueError, Conversation.DoesNotExist):
        raise Http404 from None
    finally:
        connection.close()


def _note(chosen: Chosen, wanted: str) -> None:
    """Have the audit tell that somebody takes their own conversations away. Leaves no connection open."""
    only = next(iter(chosen.messages)) if len(chosen.messages) == 1 else None
    try:
        record_soon(
            kind="record.exported",
            actor=chosen.person,
            object_type="conversation" if only else "",
            object_id=only or "",
            subject_id=chosen.person.pk,
            details={
                "format": wanted,
                "conversations": len(chosen.messages),
                "messages": sum(chosen.messages.values()),
            },
        )
    finally:
        connection.close()


async def _hand_out(request: HttpRequest, chosen: Chosen, wanted: str) -> HttpResponseBase:
    form = FORMATS.get(wanted)
    if form is None:
        words = f"An export can be one of {', '.join(FORMATS)}. Ask for it with “format”, such as format=csv."
        return _refused(400, "There is no such format", words)
    headers = {
        "Content-Type": form.content_type,
        "Content-Disposition": content_disposition(_name(chosen) + form.suffix, inline=False),
        "Cache-Control": "private, no-store",
    } | GUARDS
    if request.method == "HEAD":
        return HttpResponse(headers=headers)
    if sum(person == chosen.person.pk and not stream.is_done for stream, person in _running.items()) >= MAX_AT_ONCE:
        words = (
            f"{MAX_AT_ONCE} exports of yours are on their way. Wait until one is there, or cancel it, and try again."
        )
        return _refused(429, "One export after the other", words, {"Retry-After": RETRY_AFTER_SECONDS})
    await sync_to_async(_note)(chosen, wanted)
    session_key = request.session.session_key or ""
    stream = Stream(lambda: _Reader(form, chosen, session_key), pool=_pool)
    _running[stream] = chosen.person.pk
    # Whether the database gives it is known with the first piece, while another status can still be told.
    first = await anext(stream, b"")
    return StreamingHttpResponse(Begun(first, stream), headers=headers)


class _Reader:
    """An export as a Stream reads it. Each piece may come from another thread, one at a time."""

    def __init__(self, form: Format, chosen: Chosen, session_key: str) -> None:
        self._pieces = form.pieces(chosen)
        self._person: User = chosen.person
        self._session_key = session_key
        self._checked = time.monotonic()

    def read(self, _amount: int, /) -> bytes | None:
        """Return the next piece, whatever its size; None where it is not ready yet.

        Raises SignedOut where the person may not go on.
        """
        try:
            if time.monotonic() - self._checked > RECHECK_SECONDS:
                if person_of(self._session_key) != self._person:
                    raise SignedOut
                self._checked = time.monotonic()
            piece = next(self._pieces, None)
            return b"" if piece is None else piece or None
        finally:
            connections.close_all()

    def close(self) -> None:
        """Let go of what is open."""
        self._pieces.close()


def _name(chosen: Chosen) -> str:
    if chosen.title:
        return safe_stem(chosen.title)
    return f"Verbatim, {len(chosen.messages)} conversations, {chosen.chosen_at:%Y-%m-%d}"


def _refused(status: int, title: str, words: str, headers: dict[str, str] | None = None) -> HttpResponse:
    text = render_to_string("conversations/export_refused.html", {"title": title, "words": words})
    return HttpResponse(text, status=status, headers={"Cache-Control": "no-store"} | (headers or {}))
