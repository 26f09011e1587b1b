"""A request that brings an answer, and what it is answered with: the answer's end, its stream, or where to look."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from django.http import HttpResponseBase
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework.exceptions import NotAuthenticated
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from conversations.api.live.preferences import JSON, LONGEST_SECONDS, preference_of, wants_stream
from conversations.api.live.reader import Reader
from conversations.api.live.sse import MEDIA_TYPE, streamed
from conversations.api.live.waiting import answer_of
from conversations.api.serializers import MessageSerializer
from conversations.models import Message
from rest.views import LiveView

if TYPE_CHECKING:
    from accounts.models import User

type Show = Callable[[dict[str, Any]], Response]
"""Makes an answer of a message as JSON, however it stands."""

RUNNING = frozenset(Message.RUNNING)
POLL_SECONDS = "1"

HOW = (
    f"The answer is waited for, up to {LONGEST_SECONDS} s; how it ended is told by its `status`, and by `error` where "
    "it failed. With `Prefer: wait=10` it is waited for 10 s at most, with `Prefer: respond-async` not at all: then "
    "the status is 202, and `Location` is where to look. With `Accept: text/event-stream` it is streamed."
)
RESPONSES = {
    201: OpenApiResponse(MessageSerializer, "The answer, which has ended."),
    202: OpenApiResponse(MessageSerializer, "The answer, which is still being written."),
    (200, MEDIA_TYPE): OpenApiResponse(OpenApiTypes.STR, "The answer as server-sent events."),
}
PARAMETERS = [
    OpenApiParameter(
        "Prefer",
        str,
        OpenApiParameter.HEADER,
        description="`respond-async`, or `wait=` with seconds (RFC 7240). What makes no sense is passed over.",
    ),
    OpenApiParameter(
        "Location",
        OpenApiTypes.URI,
        OpenApiParameter.HEADER,
        response=[200, 201, 202],
        description="The address of the answer; below it, at `stream/`, are its events.",
    ),
    OpenApiParameter(
        "Preference-Applied",
        str,
        OpenApiParameter.HEADER,
        response=[201, 202],
        description="What was heeded of `Prefer`.",
    ),
    OpenApiParameter(
        "Retry-After", int, OpenApiParameter.HEADER, response=[202], description="Seconds after which to look."
    ),
]


class EventsView(LiveView):
    """May answer with events; its errors are JSON all the same."""

    def perform_content_negotiation(self, request: Request, force: bool = False) -> tuple[BaseRenderer, str]:
        """Return how to write what is no stream."""
        if wants_stream(request):
            return JSONRenderer(), JSON
        return super().perform_content_negotiation(request, force)


class AnswerView(EventsView):
    """Says something by a service, and answers with what comes of it."""

    answering = frozenset({"POST"})

    async def answered(self, say: Callable[[], Message], show: Show | None = None) -> HttpResponseBase:
        """Have a service say something, in a thread, and answer as the request prefers: with what `show` makes of it.

        Nothing is lost where the client leaves: the answer is written on, and the same request again, with the same
        Idempotency-Key or client_token, leads to it.
        """
        answer_id = await self.in_thread(_id_of, say)
        reader = Reader.of(self.request, self.user, self.access, answer_id)
        headers = {"Location": self.request.build_absolute_uri(reverse("api:message", args=[answer_id]))}
        if wants_stream(self.request):
            stream = streamed(reader, after=0)
            stream["Location"] = headers["Location"]
            return stream
        preference = preference_of(self.request)
        if preference.applied:
            headers["Preference-Applied"] = preference.applied
        if preference.seconds:
            await answer_of(answer_id, preference.seconds)
        return await self.in_thread(_shown, reader, headers, show or _message)

    def token(self, asked: Mapping[str, Any]) -> UUID:
        """Return what makes a double submit one message: the client's token, or what its Idempotency-Key leads to."""
        given: UUID | None = asked.get("client_token")
        return given or self.idempotency_token or uuid4()

    def prompt(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the services take that send a prompt."""
        return {"prompt": asked["text"], "attachment_ids": asked["attachments"], "client_token": self.token(asked)}


def message_of(user: User, pk: UUID) -> Message:
    """Return a message of somebody's with what services read of it. Raises Message.DoesNotExist (404)."""
    rows = Message.objects.visible_to(user).select_related("owner", "parent", "conversation__model")
    return rows.get(pk=pk)


def _id_of(say: Callable[[], Message]) -> UUID:
    return say().pk


def _shown(reader: Reader, headers: Mapping[str, str], show: Show) -> Response:
    """Answer with the message as it now is; 401 where its reader was shut out while they waited."""
    if not reader.is_let_in():
        raise NotAuthenticated
    shown = reader.shown()
    if shown is None:
        raise Message.DoesNotExist
    response = show(shown)
    for name, value in headers.items():
        response[name] = value
    if shown["status"] in RUNNING:
        response.status_code = 202
        response["Retry-After"] = POLL_SECONDS
    return response


def _message(shown: dict[str, Any]) -> Response:
    return Response(shown, status=201)
