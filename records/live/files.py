"""Files of the record for reviewers: whole, in part, and in small, by the same code as their owners' downloads."""

from __future__ import annotations

from uuid import UUID

from asgiref.sync import sync_to_async
from django.contrib import admin
from django.contrib.auth.views import redirect_to_login
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.utils.cache import add_never_cache_headers
from django.views.decorators.http import require_safe

from audit.services import Detail
from conversations.live.download import answer, answer_small
from conversations.models import Attachment
from records import sitting
from records.seen_transcripts import has_been_read


@require_safe
async def file(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    """Hand a file to a reviewer who has said why; each time it is written down first."""
    return await answer(request, await sync_to_async(_find)(request, pk, is_small=False))


@require_safe
async def thumbnail(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    """Show an image to a reviewer in small. Those of a transcript that was read in this sitting are told with it."""
    return await answer_small(request, await sync_to_async(_find)(request, pk, is_small=True))


def _find(request: HttpRequest, pk: UUID, *, is_small: bool) -> Attachment | HttpResponse:
    """Return a file that was sent or made in any conversation, or where to go first. Leaves no connection open.

    Raises Http404 for who may not review, as for what is not there.
    """
    try:
        if not request.user.is_authenticated:
            return _uncached(redirect_to_login(request.get_full_path()))
        may_read = admin.site.has_permission(request) and request.user.has_perm("conversations.review_conversation")
        files = Attachment.objects.filter(
            state=Attachment.State.READY, message__conversation__removal_begun_at__isnull=True, message__isnull=False
        )
        found = files.select_related("message").filter(pk=pk).first() if may_read else None
        if found is None or found.message is None:
            raise Http404
        if sitting.reason(request) is None:
            return _uncached(sitting.ask(request))
        if not (is_small and has_been_read(request, found.message.conversation_id)):
            details: dict[str, Detail] = {"conversation": str(found.message.conversation_id), "in_small": is_small}
            sitting.note(request, "file.read", "attachment", pk, found.owner_id, details)
        return found
    finally:
        connection.close()


def _uncached(response: HttpResponse) -> HttpResponse:
    add_never_cache_headers(response)
    return response
