"""What the owner of a batch does with it: cancel it, go on with it, delete it; and what becomes of it later."""

from __future__ import annotations

from django.db import transaction
from django.db.models import OuterRef, Subquery
from django.utils import timezone

from batches.models import Batch, BatchItem
from batches.services import jobs
from batches.services.ending import end_batch
from batches.services.jobs import take_turn
from batches.services.making import lock_person, require_room
from conversations.models import Conversation, Message
from conversations.services import Refusal, Refused, stop_answer
from conversations.services.sending import model_for

_AT_ONCE = 20  # batches whose lines are removed in one go


def cancel_batch(*, batch: Batch) -> Batch:
    """End a batch that is under way, and stop its answers; what they had written is kept. Return it as it now is.

    Raises Refused (not_running), and Batch.DoesNotExist where it was deleted meanwhile.
    """
    with transaction.atomic():
        take_turn()
        batch = Batch.objects.get(pk=batch.pk)
        if not batch.is_running:
            raise Refused(Refusal.NOT_RUNNING, f"This batch is {batch.get_state_display().lower()} already.")
        _stop(batch)
        end_batch(batch, Batch.State.CANCELLED)
    return batch


def resume_batch(*, batch: Batch) -> Batch:
    """Go on with a batch that has ended: with what was not begun, and once more with what was stopped or failed.

    Those are asked for again in the conversations that they have. Raises Refused (busy, not_retryable, too_late,
    assistant_unavailable, no_model, limit), and Batch.DoesNotExist where it was deleted meanwhile.
    """
    with transaction.atomic():
        take_turn()
        batch = Batch.objects.select_related("owner", "assistant").get(pk=batch.pk)
        if batch.is_running:
            raise Refused(Refusal.BUSY, "This batch is under way.")
        if batch.state == Batch.State.EXPIRED:
            raise Refused(Refusal.TOO_LATE, "The prompts of this batch are not kept any more. Send the file again.")
        lock_person(batch.owner)
        require_room(batch.owner)
        model_for(Conversation(owner=batch.owner, assistant=batch.assistant))
        batch.items.filter(status__in=BatchItem.AGAIN).update(status=BatchItem.Status.WAITING, tries=0)
        if not batch.items.filter(status=BatchItem.Status.WAITING).exists():
            raise Refused(Refusal.NOT_RETRYABLE, "All prompts of this batch are answered.")
        batch.state, batch.problem = Batch.State.RUNNING, ""
        batch.ended_at = batch.expires_at = None
        batch.save(update_fields=["state", "problem", "ended_at", "expires_at"])
        jobs.defer_carry_on()
    return batch


def delete_batch(*, batch: Batch) -> None:
    """Delete a batch; what runs of it is stopped, and its conversations stay. Twice is once."""
    with transaction.atomic():
        take_turn()
        _stop(batch)
        Batch.objects.filter(pk=batch.pk).delete()


def expire_batches() -> int:
    """Remove the lines of batches whose time is over; return of how many. The conversations stay."""
    with transaction.atomic():
        take_turn()
        over = Batch.objects.filter(state__in=Batch.ENDED, expires_at__lte=timezone.now())
        ids = list(over.order_by("expires_at").values_list("pk", flat=True)[:_AT_ONCE])
        BatchItem.objects.filter(batch__in=ids).delete()
        return Batch.objects.filter(pk__in=ids).update(state=Batch.State.EXPIRED, problem="")


def forget_batches_of(*, person_id: int) -> int:
    """Delete all batches of a person, with all their texts; return how many. For the erasure of that person."""
    with transaction.atomic():
        take_turn()
        batches = list(Batch.objects.filter(owner_id=person_id))
        _stop(*batches)
        Batch.objects.filter(pk__in=[batch.pk for batch in batches]).delete()
    return len(batches)


def _stop(*batches: Batch) -> None:
    """Stop what is being answered of batches.

    All answers are locked first, in the order in which live text takes them, and only then is anything written that
    their endings would wait for, such as the sum of the day: so nobody waits for another in a circle.
    """
    running = BatchItem.objects.filter(batch__in=batches, status=BatchItem.Status.RUNNING)
    answers = Message.objects.running().filter(pk__in=list(running.values_list("message", flat=True)))
    for answer in answers.select_for_update(of=("self",), no_key=True).order_by("pk"):
        stop_answer(message=answer)
    running.update(status=Subquery(Message.objects.filter(pk=OuterRef("message_id")).values("status")[:1]))
