"""Sealing in the worker: in threads of its own, so that a long document or a slow bucket holds up no answer."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

from django.db import DatabaseError, OperationalError, connections

from conversations import services
from conversations.files.storage import StorageProblem
from conversations.live.database import in_database

logger = logging.getLogger(__name__)

SWEEP_SECONDS = 240.0  # that one sweep takes at most; the next one goes on
_threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="sealing")


async def seal_conversation(conversation_id: UUID) -> None:
    """Seal one concluded conversation. Errors are those of the service, to be tried again."""
    await asyncio.get_running_loop().run_in_executor(_threads, _seal, conversation_id)


async def seal_left_behind() -> None:
    """Seal every concluded conversation for which no job will come, one after the other.

    What is not settled yet, or cannot be sealed, keeps no other from it; where storage is away the next sweep goes on.
    """
    loop = asyncio.get_running_loop()
    give_up_at, after = loop.time() + SWEEP_SECONDS, None
    while waiting := await in_database(services.find_unsealed, after=after):
        for conversation_id in waiting:
            if loop.time() > give_up_at:
                return
            try:
                await seal_conversation(conversation_id)
            except services.NotSettled:
                continue
            except StorageProblem as problem:
                logger.warning("Storage is away; sealing goes on later: %s", problem)
                return
            except OperationalError:
                raise
            except DatabaseError as error:
                logger.error("Conversation %s could not be sealed: %s", conversation_id, type(error).__name__)  # noqa: TRY400 (text)
        after = waiting[-1]


def _seal(conversation_id: UUID) -> None:
    try:
        services.seal_conversation(conversation_id=conversation_id)
    finally:
        connections.close_all()
