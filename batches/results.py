"""What came of a batch, a line of JSON for each prompt, read from the record at the moment it is asked for.

Nothing of it is kept: what its owner deleted or retention removed since is in no result either.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any
from uuid import UUID

from batches.models import Batch, BatchItem
from conversations.api.serializers.messages import MESSAGE_ROWS, show_messages
from conversations.exporting.jsonl import line
from conversations.models import Message

_AT_ONCE = 100
_OF_MESSAGES = frozenset({"id", "conversation", "text", "error", "usage"})


class NotWhole(Exception):
    """The batch was deleted, or its time was over, while it was read."""


def result_pieces(batch: Batch) -> Generator[bytes]:
    """Yield the result of a batch in the order of its file, as far as it has come. Raises NotWhole."""
    last = count = 0
    while items := list(batch.items.filter(number__gt=last).order_by("number")[:_AT_ONCE]):
        answers = _answers(batch, [item.message_id for item in items if item.message_id is not None])
        yield "".join(line(_outcome(item, answers)) for item in items).encode()
        last = items[-1].number
        count += len(items)
    if count < batch.total:
        raise NotWhole(f"{batch.total - count} of {batch.total} lines are not there any more")


def _answers(batch: Batch, ids: list[UUID]) -> dict[str, dict[str, Any]]:
    """Return those of these answers that the owner may see, by their ids as text."""
    found = Message.objects.visible_to(batch.owner).select_related(*MESSAGE_ROWS).filter(pk__in=ids)
    return {one["id"]: one for one in show_messages(list(found), only=_OF_MESSAGES)}


def _outcome(item: BatchItem, answers: dict[str, dict[str, Any]]) -> dict[str, Any]:
    answer = answers.get(str(item.message_id))
    status = item.status if answer is not None or item.message_id is None else BatchItem.Status.REMOVED
    is_over = status not in (BatchItem.Status.WAITING, BatchItem.Status.RUNNING)
    error = {"code": item.error_code, "message": item.error_text} if item.error_code else None
    return {
        "line": item.number,
        "custom_id": item.custom_id,
        "status": str(status),
        "conversation": answer["conversation"] if answer else None,
        "message": answer["id"] if answer else None,
        "text": answer["text"] if answer and is_over else None,
        "usage": answer["usage"] if answer and is_over else None,
        "error": answer["error"] if answer and is_over else error,
    }
