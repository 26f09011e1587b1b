"""The live view of one answer, as server-sent events."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from uuid import UUID

from asgiref.sync import sync_to_async
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.urls import reverse
from django.views.decorators.http import require_GET

from conversations.live.hub import hub
from conversations.live.lifetime import is_stopping
from conversations.live.markup import draw, final_event, progress_event
from conversations.live.session import person_of
from conversations.models import Message
from conversations.models.message import MessageQuerySet
from conversations.presentation import render_heading, render_message
from conversations.services import settle_stalled

COMMENT_SECONDS = 15.0
RECHECK_SECONDS = 30.0
LIFE_SECONDS = 300.0
# A long open block takes longer to draw; it is drawn less often, so that one stream takes at most 1/20 of a core.
DRAWING_SHARE = 20


@require_GET
async def stream(request: HttpRequest, message_id: UUID) -> HttpResponseBase:
    """Stream an answer to its owner until it ends.

    `Last-Event-ID`, or `after` for a page that has drawn a part, says how many code points the page shows as finished
    blocks. No database connection is held while streaming.
    """
    if not await sync_to_async(_may_watch)(request, message_id):
        # A page in the browser of somebody who was signed out asks again, and again; htmx takes it to the sign-in.
        return HttpResponse(status=401, headers={"HX-Redirect": reverse("account_login")})
    session_key = request.session.session_key or ""
    after = _position(request)
    response = StreamingHttpResponse(_events(message_id, session_key, after), content_type="text/event-stream")
    response["Cache-Control"] = "no-store"
    response["X-Accel-Buffering"] = "no"
    return response


def _may_watch(request: HttpRequest, message_id: UUID) -> bool:
    """Whether the person is signed in. Raises Http404 for an answer that is not theirs. Leaves no connection open."""
    try:
        user = request.user
        if not user.is_authenticated:
            return False
        message = Message.objects.visible_to(user).filter(pk=message_id).first()
        if message is None:
            raise Http404
        if message.is_running:
            settle_stalled(message_id=message_id)
        return True
    finally:
        connection.close()


def _position(request: HttpRequest) -> int:
    value = request.headers.get("Last-Event-ID") or request.GET.get("after", "")
    return int(value) if value.isascii() and value.isdigit() and len(value) < 9 else 0


async def _events(message_id: UUID, session_key: str, after: int) -> AsyncIterator[bytes]:
    began = checked = time.monotonic()
    shown_activity: str | None = None
    async with hub().watch(message_id) as (watched, changed):
        while True:
            try:
                async with asyncio.timeout(COMMENT_SECONDS):
                    await changed.wait()
            except TimeoutError:
                yield b": still here\n\n"
            changed.clear()
            now = time.monotonic()
            if is_stopping() or now - began > LIFE_SECONDS or watched.is_gone:
                return
            if now - checked > RECHECK_SECONDS:
                checked = now
                if not await sync_to_async(_still_may_watch, thread_sensitive=False)(session_key, message_id):
                    return
            if not watched.is_running:
                yield await sync_to_async(_final, thread_sensitive=False)(session_key, message_id)
                return
            if watched.status and len(watched.text) >= after:  # else the page was told of more, by another process
                drawing = time.perf_counter()
                draft = draw(watched.text, after=after)
                activity = watched.activity if watched.activity != shown_activity else None
                data, after, shown_activity = progress_event(message_id, draft, activity), draft.end, watched.activity
                pause = (time.perf_counter() - drawing) * DRAWING_SHARE
                yield data  # lasts as long as a slow reader takes
                await asyncio.sleep(pause)


def _still_may_watch(session_key: str, message_id: UUID) -> bool:
    """Check session, person and right again, from the database."""
    with contextlib.closing(connection):
        visible = _visible_messages(session_key).filter(pk=message_id)
        if visible.running().exists():
            settle_stalled(message_id=message_id)
        return visible.exists()


def _final(session_key: str, message_id: UUID) -> bytes:
    """Draw the ended answer for its owner; nothing for somebody who may not see it any more."""
    with contextlib.closing(connection):
        messages = _visible_messages(session_key).select_related("conversation__assistant", "owner")
        message = messages.filter(pk=message_id).first()
        if message is None:
            return b""
        html = render_message(message, message.owner)
        return final_event(message_id, html, render_heading(message.conversation))


def _visible_messages(session_key: str) -> MessageQuerySet:
    """What the person of a session may see now: session, person and right anew from the database."""
    person = person_of(session_key)
    return Message.objects.visible_to(person) if person else Message.objects.none()
