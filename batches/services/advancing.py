"""Carrying batches on: what has ended is noted, what may begin begins, a batch whose last prompt has ended ends.

Whoever does so may die at any moment: each step is one transaction, and the next one sees what was done.
"""

from __future__ import annotations

import datetime
import logging
from uuid import UUID, uuid5

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Min
from django.utils import timezone

from batches.models import Batch, BatchItem
from batches.services.ending import count_items, end_batch
from batches.services.jobs import PRIORITY, take_turn
from conversations.models import Conversation, Message
from conversations.outages import AWAY
from conversations.services import Refusal, Refused, retry_answer, start_conversation

logger = logging.getLogger(__name__)

MOST_TOGETHER = 50  # answers to batches of all people at once: a quarter of what one worker writes at a time
MOST_TRIES = 4  # of a prompt whose answers the model service fails, or its worker
MOST_TROUBLES = 100  # in a row, about a day's: what the service fails from then on counts against a prompt as well
LONGEST_PAUSE = datetime.timedelta(minutes=15)  # a limit may be raised meanwhile
SHORTEST_PAUSE = datetime.timedelta(seconds=15)
BUSY_SECONDS = 0.25
IDLE_SECONDS = 5.0
_AT_ONCE = 200

# What is wrong with the service, the key or the worker rather than with the prompt: nothing else would fare better.
TROUBLE = frozenset(
    {
        "no_key",
        "wrong_key",
        "forbidden",
        "model_gone",
        "quota",
        "rate_limited",
        "overloaded",
        "provider_down",
        "connection",
        "timeout",
        "worker_lost",
    }
)
# What concerns all that is asked of the service, and passes: no prompt is to blame.
OUTAGE = frozenset({"no_key", "wrong_key", "quota", "rate_limited", "overloaded", "provider_down", "connection"})
ENDS_BATCH = (Refusal.ASSISTANT_UNAVAILABLE, Refusal.NO_MODEL)
FAULT = "A fault of ours keeps it from going on. It tries again; tell an administrator if it stays so."
DEACTIVATED = "The account of its owner is deactivated."

# The batch whose turn it is, of people who have fewest answers under way: first the one that has waited longest.
_NEXT = """
WITH busy AS (
    SELECT batch.owner_id, count(*) AS answers
    FROM batches_batchitem AS item JOIN batches_batch AS batch ON batch.id = item.batch_id
    WHERE item.status = 'running' GROUP BY batch.owner_id
)
SELECT batch.id FROM batches_batch AS batch LEFT JOIN busy ON busy.owner_id = batch.owner_id
WHERE batch.state = 'running'
    AND (batch.paused_until IS NULL OR batch.paused_until <= %(now)s)
    AND coalesce(busy.answers, 0) < %(most)s
    AND (SELECT coalesce(sum(answers), 0) FROM busy) < %(together)s
    AND EXISTS (SELECT FROM batches_batchitem AS item WHERE item.batch_id = batch.id AND item.status = 'waiting')
    AND (batch.troubles = 0 OR NOT EXISTS (
        SELECT FROM batches_batchitem AS item WHERE item.batch_id = batch.id AND item.status = 'running'
    ))
ORDER BY coalesce(busy.answers, 0), batch.served_at NULLS FIRST, batch.id LIMIT 1
"""


def advance() -> float | None:
    """Do what can be done now; return after how many seconds to look again, or None while no batch is under way.

    However much is refused or was deleted, it takes a few seconds at most: a worker that goes down waits for it.
    """
    settle_items()
    for _ in range(_AT_ONCE):
        if not begin_next():
            break
    else:
        return BUSY_SECONDS
    running = Batch.objects.filter(state=Batch.State.RUNNING)
    if BatchItem.objects.filter(status=BatchItem.Status.RUNNING, batch__in=running).exists():
        return BUSY_SECONDS
    soonest: datetime.datetime | None = running.aggregate(soonest=Min("paused_until"))["soonest"]
    if soonest is None:
        return BUSY_SECONDS if running.exists() else None
    return min(max((soonest - timezone.now()).total_seconds(), BUSY_SECONDS), IDLE_SECONDS)


def settle_items() -> int:
    """Note of prompts that were answered how it went, and end the batches that are through; return how many.

    What still ran of a batch when it was ended early is counted as it ends.
    """
    with transaction.atomic():
        take_turn()
        running = BatchItem.objects.filter(status=BatchItem.Status.RUNNING).select_related("batch", "message")
        ended = list(running.exclude(message__status__in=Message.RUNNING).defer("message__text")[:_AT_ONCE])
        batches = {item.batch_id: item.batch for item in ended}
        for item in ended:
            _settle(item, batches[item.batch_id])
        for batch in Batch.objects.filter(state=Batch.State.RUNNING).exclude(
            items__status__in=[BatchItem.Status.WAITING, BatchItem.Status.RUNNING]
        ):
            end_batch(batch, Batch.State.DONE)
        for batch in batches.values():
            if batch.state in Batch.ENDED:
                count_items(batch)
    return len(ended)


def _settle(item: BatchItem, batch: Batch) -> None:
    answer = item.message
    if answer is None:
        return
    item.status = BatchItem.Status(answer.status)
    is_trouble = item.status in (BatchItem.Status.FAILED, BatchItem.Status.INTERRUPTED) and answer.error_code in TROUBLE
    if is_trouble and batch.is_running:
        if answer.error_code in OUTAGE and batch.troubles < MOST_TROUBLES:
            item.status, item.tries = BatchItem.Status.WAITING, max(item.tries - 1, 1)  # behind those never asked
        elif item.tries < MOST_TRIES:
            item.status = BatchItem.Status.WAITING
        batch.troubles = min(batch.troubles + 1, 10_000)
        _pause(batch, SHORTEST_PAUSE * 2 ** min(batch.troubles - 1, 10), answer.error_text)
    elif item.status == BatchItem.Status.COMPLETED and batch.troubles:
        batch.troubles, batch.paused_until, batch.problem = 0, None, ""
        batch.save(update_fields=["troubles", "paused_until", "problem"])
    _update(item)


def begin_next() -> bool:
    """Begin with the next prompt whose turn it is; False where none may begin now.

    Its conversation, the answer that is waited for, and what is noted here are one transaction, so that it begins once.
    """
    with transaction.atomic():
        take_turn()
        batch = _next_batch()
        if batch is None:
            return False
        if not batch.owner.is_active:
            end_batch(batch, Batch.State.CANCELLED, DEACTIVATED)
            return True
        waiting = batch.items.filter(status=BatchItem.Status.WAITING).select_related("message__conversation")
        _begin(batch, waiting.order_by("tries", "number")[0])
    return True


def _begin(batch: Batch, item: BatchItem) -> None:
    """Begin with a prompt, or do what keeps it from beginning."""
    try:
        with transaction.atomic():
            answer = _ask(batch, item)
    except Refused as refused:
        _give_up(batch, item, refused)
    except Conversation.DoesNotExist:  # its owner deleted it
        _keep_as_it_was(item)
    except AWAY:
        raise
    except Exception as fault:  # noqa: BLE001 (a fault of ours with one batch must hold up no other)
        name = type(fault).__name__  # its words may hold the prompt
        logger.error("Batch %s: prompt %s could not be asked: %s", batch.pk, item.pk, name)  # noqa: TRY400
        _pause(batch, LONGEST_PAUSE, FAULT)
    else:
        item.status, item.prompt, item.tries = BatchItem.Status.RUNNING, "", item.tries + 1
        item.conversation_id, item.message = answer.conversation_id, answer
        item.error_code = item.error_text = ""
        _update(item)
        batch.served_at, batch.paused_until = timezone.now(), None
        batch.problem = batch.problem if batch.troubles else ""
        batch.save(update_fields=["served_at", "paused_until", "problem"])


def _next_batch() -> Batch | None:
    most: int = settings.BATCH_PARALLEL_ANSWERS
    with connection.cursor() as cursor:
        cursor.execute(_NEXT, {"now": timezone.now(), "most": most, "together": MOST_TOGETHER})
        row: tuple[UUID] | None = cursor.fetchone()
    return Batch.objects.select_related("owner", "assistant").get(pk=row[0]) if row else None


def _ask(batch: Batch, item: BatchItem) -> Message:
    """Let the model be asked, behind all that people wait for. Raises Refused, Conversation.DoesNotExist."""
    if item.message is not None:
        return retry_answer(message=item.message, priority=PRIORITY)
    return start_conversation(
        owner=batch.owner,
        assistant=batch.assistant,
        prompt=item.prompt,
        client_token=uuid5(batch.pk, str(item.number)),
        title=f"{batch.name}: {item.custom_id}"[:200],
        priority=PRIORITY,
        is_batched=True,
    )


def _give_up(batch: Batch, item: BatchItem, refused: Refused) -> None:
    """Do what a refusal asks for: wait, end the batch, or leave this prompt out."""
    if refused.code in (Refusal.LIMIT, Refusal.BUSY):
        seconds = refused.retry_after or SHORTEST_PAUSE.total_seconds()
        _pause(batch, datetime.timedelta(seconds=seconds), refused.message)
    elif refused.code in ENDS_BATCH:
        end_batch(batch, Batch.State.CANCELLED, refused.message)
    elif item.message is not None:  # concluded, say
        _keep_as_it_was(item)
    else:
        item.status = BatchItem.Status.FAILED
        item.error_code, item.error_text = refused.code, refused.message[:500]
        _update(item)


def _keep_as_it_was(item: BatchItem) -> None:
    """End a prompt with the answer that it has."""
    if item.message is not None:
        item.status = BatchItem.Status(item.message.status)
        _update(item)


def _pause(batch: Batch, pause: datetime.timedelta, problem: str) -> None:
    batch.paused_until = timezone.now() + min(max(pause, datetime.timedelta(seconds=1)), LONGEST_PAUSE)
    batch.problem = problem[:500]
    batch.save(update_fields=["troubles", "paused_until", "problem"])


def _update(item: BatchItem) -> None:
    """Save a prompt, unless its conversation was removed since it was read."""
    fields = ["status", "prompt", "tries", "conversation", "message", "error_code", "error_text"]
    unchanged = BatchItem.objects.filter(pk=item.pk).exclude(status=BatchItem.Status.REMOVED)
    unchanged.update(**{name: getattr(item, name) for name in fields})
