"""The sender in the worker: one endpoint beside the other, and to each one delivery after the other."""

from __future__ import annotations

import asyncio
from uuid import UUID, uuid4

from conversations.live.database import in_database, in_database_patiently
from webhooks.live.posting import Poster
from webhooks.services import claim_endpoints, next_parcel, note_outcome, release_endpoint

ROUND_SECONDS = 45.0
"""After which a sender gives its endpoints back; another one goes on, so that a worker can end in between."""
REFUSALS = 5
"""Deliveries in a row that an endpoint refuses, after which it has to pause: it is then likely to refuse them all."""


async def send_waiting() -> None:
    """Send to every endpoint for which something waits and that nobody else sends to.

    What goes wrong with one endpoint is told when the others are done.
    """
    holder = uuid4()
    endpoints = await in_database(claim_endpoints, holder=holder)
    ends = await asyncio.gather(*(_send_to(endpoint, holder) for endpoint in endpoints), return_exceptions=True)
    for end in ends:
        if end is not None:
            raise end


async def _send_to(endpoint_id: UUID, holder: UUID) -> None:
    loop = asyncio.get_running_loop()
    until, refused = loop.time() + ROUND_SECONDS, 0
    async with Poster() as poster:
        while loop.time() < until:
            parcel = await in_database(next_parcel, endpoint_id=endpoint_id, holder=holder)
            if parcel is None:
                break
            outcome = await poster.post(parcel)
            refused = 0 if outcome.is_delivered else refused + 1
            is_ours = await in_database_patiently(
                note_outcome,
                parcel=parcel,
                endpoint_id=endpoint_id,
                holder=holder,
                outcome=outcome,
                has_to_pause=refused >= REFUSALS,
            )
            if not is_ours:
                return
    await in_database(release_endpoint, endpoint_id=endpoint_id, holder=holder)
