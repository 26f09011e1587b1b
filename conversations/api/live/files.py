"""Bytes over the API: files, and sealed documents; by the code of the pages, so with their guards."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponse, HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework.request import Request

from conversations.api.serializers.queries import EveryoneQuery
from conversations.api.views.asking import Asking
from conversations.api.views.attachments import conversation_of
from conversations.files import storage
from conversations.live.download import Held, hand_out
from conversations.models import Attachment, SealedDocument
from rest.problems import Problem
from rest.schema import documented
from rest.tags import matches
from rest.views import LiveView

RETRY_AFTER_SECONDS = 10
_RANGE = OpenApiParameter("Range", str, OpenApiParameter.HEADER, description="One part, such as bytes=0-1023.")
_BYTES = OpenApiResponse(OpenApiTypes.BINARY, "The bytes. They are what `sha256` says, or the connection is cut.")


def _responses(media_type: str) -> dict[Any, OpenApiResponse]:
    return {
        (200, media_type): _BYTES,
        (206, media_type): OpenApiResponse(OpenApiTypes.BINARY, "The part that was asked for."),
        302: OpenApiResponse(None, "To a link to the bucket that holds for 60 s, where clients can reach it."),
        416: OpenApiResponse(None, "The part lies behind the end."),
    }


class Bytes(Asking, LiveView):
    """What has bytes in storage."""

    async def handed_out(self, held: Held) -> HttpResponseBase:
        """Answer with the bytes, or 304 to who has them. Raises Http404 where they are lost, and Problem (503)."""
        known, tag = self.request.headers.get("If-None-Match"), f'"{held.sha256}"'
        if known is not None and matches(known.replace("W/", ""), tag):
            return HttpResponse(status=304, headers={"ETag": tag})
        try:
            return await hand_out(self.request._request, held)
        except storage.StorageProblem as problem:
            words = "Storage cannot be reached just now. Try again in a moment."
            raise Problem(503, "storage_away", words, retry_after=RETRY_AFTER_SECONDS) from problem


class AttachmentContentView(Bytes):
    """`attachments/{id}/content/`."""

    @documented(
        operation_id="download_attachment",
        summary="Download a file",
        description="Always as a download, under its name. 404 until its state is ready.",
        parameters=[EveryoneQuery, _RANGE],
        responses=_responses("*/*"),
    )
    async def get(self, request: Request, pk: UUID) -> HttpResponseBase:
        """Hand out a file."""
        return await self.handed_out(await self.in_thread(self._find, pk))

    def _find(self, pk: UUID) -> Attachment:
        rows = self.rows(Attachment.objects, self.asked(EveryoneQuery)).filter(state=Attachment.State.READY)
        attachment: Attachment = self.one(rows.select_related("message").defer("message__text"), pk)
        self.note_read(
            "file.read", attachment, owner_id=attachment.owner_id, conversation_id=conversation_of(attachment)
        )
        return attachment


class DocumentView(Bytes):
    """`conversations/{id}/document/`."""

    @documented(
        operation_id="download_document",
        summary="Download the sealed document of a conversation",
        description="Canonical JSON, byte for byte what was sealed. 404 until it is concluded and sealed.",
        parameters=[EveryoneQuery, _RANGE],
        responses=_responses("application/json"),
    )
    async def get(self, request: Request, pk: UUID) -> HttpResponseBase:
        """Hand out a sealed document."""
        return await self.handed_out(await self.in_thread(self._find, pk))

    def _find(self, pk: UUID) -> SealedDocument:
        rows = self.rows(SealedDocument.objects, self.asked(EveryoneQuery)).select_related("conversation")
        document: SealedDocument | None = rows.filter(pk=pk).first()
        if document is None:
            raise Http404
        self.note_read("conversation.read", document.conversation, owner_id=document.conversation.owner_id)
        return document
