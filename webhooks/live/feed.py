"""The feed of events: read from a number on, and waited for at its end."""

from __future__ import annotations

import time
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Scope
from conversations.api.reading import rows_of
from conversations.models import Event
from rest.schema import documented
from rest.views import LiveView
from webhooks import examples
from webhooks.live.newest import last_number, wait_beyond
from webhooks.serializers import EventQuery, FeedSerializer
from webhooks.telling import told

DEFAULT_LIMIT = 100


class EventsView(LiveView):
    """`events/`."""

    scopes = {"GET": Scope.EVENTS}

    @documented(
        operation_id="list_events",
        summary="Follow events",
        description="What has happened, in order: that conversations were concluded, with the hash and the address of "
        "the sealed document, and that they were removed. Begin with `after=0`, then go on with the `after` of each "
        "answer; none is missed and none comes twice, also while others are being written. With `wait` the end of the "
        "feed is waited at. Your own conversations' events; everybody's with `everyone=true`, which tells nothing that "
        "was said and is not audited.",
        parameters=[EventQuery],
        responses={200: FeedSerializer},
        examples=[examples.FEED],
    )
    async def get(self, request: Request) -> Response:
        """Answer a stretch of the feed; at its end, wait for more where that is asked for."""
        asked = self.query(EventQuery)
        give_up_at = time.monotonic() + (asked.get("wait", 0) if request.method == "GET" else 0)
        while True:
            seen = await self.in_thread(last_number)
            answer = await self.in_thread(self._stretch, asked)
            left = give_up_at - time.monotonic()
            if answer["results"] or left <= 0 or not await wait_beyond(max(seen, asked.get("after", 0)), left):
                return Response(answer)

    def _stretch(self, asked: dict[str, Any]) -> dict[str, Any]:
        everyone, after, limit = asked.get("everyone", False), asked.get("after", 0), asked.get("limit", DEFAULT_LIMIT)
        events = rows_of(Event.objects, self.user, self.access, everyone=everyone).filter(seq__gt=after)
        if kind := asked.get("kind"):
            events = events.filter(kind=kind)
        found = list(events.order_by("seq")[: limit + 1])
        has_more, found = len(found) > limit, found[:limit]
        results = [told(event, everyone=everyone) for event in found]  # values of JSON already
        return {"results": results, "after": found[-1].seq if found else after, "has_more": has_more}
