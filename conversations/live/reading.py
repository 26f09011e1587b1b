"""Looking into files for text, so that search finds it: from storage, through the limited process, into the record."""

from __future__ import annotations

import asyncio
import logging
import tempfile
from uuid import UUID

from conversations import services
from conversations.files import FileProblem, storage, text_of
from conversations.files.storage import ObjectMissing, StorageProblem
from conversations.live.database import in_database
from conversations.live.storing import in_files
from conversations.models import Attachment

logger = logging.getLogger(__name__)

RUN_SECONDS = 8.0  # the next run comes after 10
MAX_FAULTS = 3  # in a run: storage is away, and the rest would only wait
MOST_TROUBLED = 1000
_in_hand: set[UUID] = set()  # of this process: a large file may take longer than the time between two runs
_troubled: dict[UUID, None] = {}  # could not be had, the longest ago first: they come after all others


async def read_files() -> None:
    """Read the text of files that wait for it. What cannot be had from storage now is tried again by later runs."""
    loop = asyncio.get_running_loop()
    give_up_at, faults = loop.time() + RUN_SECONDS, 0
    troubled = list(_troubled)
    waiting = await in_database(services.find_unread_files, without=troubled)
    waiting += await in_database(services.find_unread_files, among=troubled[:MAX_FAULTS])
    for file in waiting:
        if faults == MAX_FAULTS or loop.time() > give_up_at:
            return
        if file.pk not in _in_hand:
            _troubled.pop(file.pk, None)
            if not await _read(file):
                faults += 1
                _troubled[file.pk] = None
    for pk in list(_troubled)[:-MOST_TROUBLED]:
        del _troubled[pk]


async def _read(file: Attachment) -> bool:
    """Read a file and keep its text; return False where it is to be tried again."""
    _in_hand.add(file.pk)
    try:
        text = await in_files(_text_of, file)
        await in_database(services.keep_text, attachment_id=file.pk, text=text)
    except (StorageProblem, FileProblem) as problem:
        logger.warning("File %s could not be read for search and is tried again: %s", file.pk, problem)
        return False
    finally:
        _in_hand.discard(file.pk)
    return True


def _text_of(file: Attachment) -> str:
    """Return the text of a file; none of one that storage has lost, or holds with other bytes."""
    with tempfile.TemporaryFile() as copy:
        try:
            _, sha256 = storage.fetch(file.key, copy)
        except ObjectMissing:
            return ""
        if sha256 != file.sha256:
            return ""
        return text_of(copy, name=file.name, content_type=file.content_type)
