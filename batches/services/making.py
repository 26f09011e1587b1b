"""Taking a file of prompts."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db import connection, transaction
from django.utils import timezone

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
TOKEN_KEPT = datetime.timedelta(days=1)
_COPY = """
COPY batches_batchitem (batch_id, number, custom_id, prompt, status, tries, error_code, error_text) FROM STDIN
"""


def make_batch(
    *, owner: User, assistant: Assistant, name: str, lines: Sequence[Line], client_token: UUID | None = None
) -> Batch:
    """Have the worker answer these prompts as conversations of `owner`, and return the batch: all of them or nothing.

    The same again with the same `client_token`, within a day, returns the batch that was made the first time.
    No model is called before it is committed. Raises Refused (assistant_unavailable, no_model, limit: for too many
    batches, token_reused). The lock on the person makes parallel makings take turns.
    """
    with transaction.atomic():
        lock_person(owner)
        made = _made_before(owner, client_token)
        if made is not None:
            _require_same(made, assistant, name, lines)
            return made
        require_room(owner)
        model_for(Conversation(owner=owner, assistant=assistant))
        kept = Batch.objects.visible_to(owner).exclude(state=Batch.State.EXPIRED).count()
        if kept >= MOST_KEPT:
            raise Refused(Refusal.LIMIT, f"You have {kept} batches. Delete some that you need no more.")
        batch = Batch.objects.create(
            owner=owner, assistant=assistant, name=name, total=len(lines), client_token=client_token
        )
        _write(batch, lines)
        jobs.defer_carry_on()
    return batch


def _write(batch: Batch, lines: Sequence[Line]) -> None:
    """Write the prompts as a stream: ten times as fast as rows, while their owner waits to say something."""
    with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        for line in lines:
            copy.write_row(
                (batch.pk, line.number, line.custom_id, line.prompt, BatchItem.Status.WAITING.value, 0, "", "")
            )


def lock_person(owner: User) -> None:
    """Make all who would give a person more to wait for take turns."""
    get_user_model().objects.select_for_update(no_key=True).get(pk=owner.pk)


def require_room(owner: User) -> None:
    """Raise Refused (limit) where no more batches of a person, who is locked, can be under way."""
    if Batch.objects.visible_to(owner).filter(state=Batch.State.RUNNING).count() >= MOST_RUNNING:
        raise Refused(
            Refusal.LIMIT,
            f"{MOST_RUNNING} of your batches are under way already. Wait until one has ended, or cancel it.",
        )


def _made_before(owner: User, client_token: UUID | None) -> Batch | None:
    """Return what the same token made; a day later it may make something else."""
    if client_token is None:
        return None
    since = timezone.now() - TOKEN_KEPT
    return Batch.objects.visible_to(owner).filter(client_token=client_token, created_at__gt=since).first()


def _require_same(made: Batch, assistant: Assistant, name: str, lines: Sequence[Line]) -> None:
    if (made.assistant_id, made.name, made.total) != (assistant.pk, name, len(lines)):
        raise Refused(Refusal.TOKEN_REUSED, "Another batch was made with the same token. Nothing was done.")
