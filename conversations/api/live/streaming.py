"""The stream of an answer over the API."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse, HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework.request import Request

from conversations.api.live import examples
from conversations.api.live.answering import EventsView, message_of
from conversations.api.live.reader import Reader
from conversations.api.live.sse import MEDIA_TYPE, streamed
from conversations.services import settle_stalled
from rest.problems import Problem
from rest.schema import documented

LAST_EVENT_ID = "Last-Event-ID"


class StreamView(EventsView):
    """`messages/{id}/stream/`."""

    @documented(
        operation_id="stream_message",
        summary="Follow an answer",
        description="As server-sent events: `text` brings what follows the first `start` code points, in place of "
        "whatever a client has behind these; `activity` what the answer is doing, `file` a file and where it stands, "
        "and `completed`, the last one, the whole message, however it ended. The id of `text` is how many code points "
        "there are with it; a client that comes back with it in `Last-Event-ID` goes on there. Every 15 s there is a "
        "comment. A stream that ends without `completed` is to be asked for again.",
        parameters=[
            OpenApiParameter(
                LAST_EVENT_ID,
                {"type": "integer", "minimum": 0, "maximum": 999_999_999},
                OpenApiParameter.HEADER,
                description="The id of the last event that arrived; without it the stream begins with the first text.",
            )
        ],
        responses={(200, MEDIA_TYPE): OpenApiResponse(OpenApiTypes.STR, "The answer as server-sent events.")},
        examples=[examples.STREAM],
    )
    async def get(self, request: Request, pk: UUID) -> HttpResponseBase:
        """Stream an answer to its end."""
        after = _position(request)
        await self.in_thread(self._settled, pk)
        if request.method == "HEAD":
            return HttpResponse(content_type=MEDIA_TYPE)
        return streamed(Reader.of(request, self.user, self.access, pk), after=after)

    def _settled(self, pk: UUID) -> None:
        if message_of(self.user, pk).is_running:
            settle_stalled(message_id=pk)


def _position(request: Request) -> int:
    """Return how many code points the client has. Raises Problem (400)."""
    given = request.headers.get(LAST_EVENT_ID, "").strip()
    if not given:
        return 0
    if not (given.isascii() and given.isdigit() and len(given) < 10):
        words = "This is no id of an event: it must be a whole number, as events of text have it."
        raise Problem(400, "invalid", f"{LAST_EVENT_ID}: {words}", errors=[{"field": LAST_EVENT_ID, "message": words}])
    return int(given)
