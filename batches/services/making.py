"""Taking a file of prompts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.contrib.auth import get_user_model
from django.db import transaction

from batches.models import Batch, BatchItem
from batches.reading import Line
from batches.services import jobs
from conversations.models import Assistant, Conversation
from conversations.services import Refusal, Refused
from conversations.services.sending import model_for

if TYPE_CHECKING:
    from accounts.models import User

MOST_RUNNING = 10  # batches of one person that are under way
MOST_KEPT = 200  # batches of one person whose lines are kept
_AT_ONCE = 5_000


def make_batch(*, owner: User, assistant: Assistant, name: str, lines: Sequence[Line]) -> Batch:
    """Have the worker answer these prompts as conversations of `owner`, and return the batch: all of them or nothing.

    No model is called before it is committed. Raises Refused (assistant_unavailable, no_model, limit: for too many
    batches). The lock on the person makes parallel makings take turns.
    """
    with transaction.atomic():
        take_room(owner)
        model_for(Conversation(owner=owner, assistant=assistant))
        kept = Batch.objects.visible_to(owner).exclude(state=Batch.State.EXPIRED).count()
        if kept >= MOST_KEPT:
            raise Refused(Refusal.LIMIT, f"You have {kept} batches. Delete some that you need no more.")
        batch = Batch.objects.create(owner=owner, assistant=assistant, name=name, total=len(lines))
        for start in range(0, len(lines), _AT_ONCE):
            BatchItem.objects.bulk_create(
                BatchItem(batch=batch, number=line.number, custom_id=line.custom_id, prompt=line.prompt)
                for line in lines[start : start + _AT_ONCE]
            )
        jobs.defer_carry_on()
    return batch


def take_room(owner: User) -> None:
    """Lock a person, and raise Refused (limit) where no more of their batches can be under way."""
    get_user_model().objects.select_for_update(no_key=True).get(pk=owner.pk)
    if Batch.objects.visible_to(owner).filter(state=Batch.State.RUNNING).count() >= MOST_RUNNING:
        raise Refused(
            Refusal.LIMIT,
            f"{MOST_RUNNING} of your batches are under way already. Wait until one has ended, or cancel it.",
        )
