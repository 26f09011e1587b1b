"""Going on from a concluded conversation in a new one, which repeats what was said."""

from __future__ import annotations

import re
from itertools import batched
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from conversations.models import Conversation, Message
from conversations.services.attachments import carry_files
from conversations.services.refusals import Refusal, Refused
from conversations.services.sending import lock_conversation, model_for

BATCH = 500  # messages that are copied at a time
TITLE_CHARS = 200
_CONTINUED = re.compile(r"(?P<title>.*) \(continued(?: (?P<number>\d{1,4}))?\)", re.DOTALL)


def continue_conversation(*, conversation: Conversation) -> Conversation:
    """Begin a conversation that goes on from a concluded one, and return it.

    It repeats the path that is shown, with its files; each message names the one that it repeats, and no model is
    called. One in which nothing was said yet is returned again: the lock makes a double click one conversation. Raises
    Refused (not_concluded, assistant_unavailable, no_model), and Conversation.DoesNotExist where it is hidden.
    """
    with transaction.atomic():
        concluded = lock_conversation(conversation)
        if concluded.hidden_at is not None:
            raise Conversation.DoesNotExist
        if concluded.is_open:
            raise Refused(Refusal.NOT_CONCLUDED, "This conversation is open: go on in it.")
        untouched = _find_untouched(concluded)
        if untouched is not None:
            return untouched
        _require_assistant(concluded)
        continued = Conversation.objects.create(
            owner_id=concluded.owner_id,
            assistant_id=concluded.assistant_id,
            model_id=concluded.model_id,
            continued_from=concluded,
            title=continued_title(concluded.title),
            is_title_provisional=False,
        )
        continued.current_leaf = _copy_path(concluded, continued)
        continued.save(update_fields=["current_leaf"])
    return continued


def continued_title(title: str) -> str:
    """Return the title of what goes on from a conversation: counted on, and cut so that it stays within its column."""
    number = 1
    if found := _CONTINUED.fullmatch(title):
        title, number = found["title"], int(found["number"] or 1) + 1
    ending = " (continued)" if number == 1 else f" (continued {number})"
    room = TITLE_CHARS - len(ending)
    return (title if len(title) <= room else title[: room - 1].rstrip() + "…") + ending


def _find_untouched(concluded: Conversation) -> Conversation | None:
    continuations = concluded.continuations.filter(hidden_at__isnull=True, state=Conversation.State.OPEN)
    for continuation in continuations.order_by("-id"):
        if not continuation.messages.filter(copy_of__isnull=True).exists():
            return continuation
    return None


def _require_assistant(concluded: Conversation) -> None:
    try:
        model_for(concluded)
    except Refused as refused:
        if refused.code == Refusal.ASSISTANT_UNAVAILABLE:
            raise Refused(
                refused.code,
                "Its assistant is not open to you any more, so it cannot be continued. Start a new conversation.",
            ) from refused
        raise


def _copy_path(concluded: Conversation, continued: Conversation) -> Message | None:
    """Copy the messages of the path in batches, parents first; return the last copy."""
    last: Message | None = None
    now = timezone.now()
    for ids in batched(concluded.tree().path_to(concluded.current_leaf_id), BATCH):
        copies: dict[UUID, Message] = {}
        for said in concluded.messages_of(ids):
            last = copies[said.pk] = Message(
                conversation=continued,
                owner_id=said.owner_id,
                parent_id=last.pk if last else None,
                assistant_id=said.assistant_id,
                copy_of=said,
                is_supplied=said.is_supplied,
                options=said.options,
                role=said.role,
                status=said.status,
                text=said.text,
                error_code=said.error_code,
                error_text=said.error_text,
                finished_at=now if said.role == Message.Role.ASSISTANT else None,
            )
        Message.objects.bulk_create(copies.values())
        carry_files(copies=copies)
    return last
