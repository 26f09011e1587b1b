"""Batches for tests, and what a worker does with them, step by step."""

from __future__ import annotations

import datetime
from typing import Any

from django.db.models import F

from accounts.models import User
from batches.models import Batch, BatchItem
from batches.reading import Line
from batches.services import make_batch
from batches.services.advancing import begin_next, settle_items
from conversations.models import Assistant, Message
from tests.pages.record import end


def make_lines(count: int) -> list[Line]:
    return [Line(number, f"id-{number}", f"Prompt {number}") for number in range(1, count + 1)]


def make(owner: User, assistant: Assistant, count: int = 3, *, name: str = "Letters") -> Batch:
    return make_batch(owner=owner, assistant=assistant, name=name, lines=make_lines(count))


def begin_all() -> int:
    """Begin with all that may begin now; return how much that was."""
    count = 0
    while begin_next():
        count += 1
    return count


def running(batch: Batch) -> list[Message]:
    """Return the answers that are being written, in the order of their lines."""
    items = batch.items.filter(status=BatchItem.Status.RUNNING).order_by("number").select_related("message")
    return [item.message for item in items if item.message is not None]


def answer_running(batch: Batch, *, status: str = "completed", **columns: Any) -> None:
    """Let the running answers end, and have that noted."""
    for answer in running(batch):
        Message.objects.filter(pk=answer.pk).update(**columns)
        answer.refresh_from_db()
        end(answer, status=status, text="" if status == "failed" else f"Answer to {answer.parent_id}")
    settle_items()


def wait_out(batch: Batch) -> None:
    """Let its pause be over."""
    Batch.objects.filter(pk=batch.pk, paused_until__isnull=False).update(
        paused_until=F("paused_until") - datetime.timedelta(days=1)
    )


def go_through(batch: Batch, *, rounds: int = 100) -> None:
    """Answer everything."""
    for _ in range(rounds):
        wait_out(batch)
        if not begin_all() and not running(batch):
            break
        answer_running(batch)
    settle_items()
    batch.refresh_from_db()


def statuses(batch: Batch) -> list[str]:
    return list(batch.items.order_by("number").values_list("status", flat=True))
