"""The lines of an export: a conversation, then its messages in the order in which they were said."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from itertools import groupby
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db.models import Count

from conversations.exporting.jsonl import call_facts, conversation_facts, line, message_facts
from conversations.exporting.rows import Chosen, Turn, read_turns
from conversations.files.names import split_name
from conversations.models import Attachment, Conversation, Generation
from records.exporting.filters import kept
from records.models import Tombstone

if TYPE_CHECKING:
    from accounts.models import User

_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,8}")


def choose(ids: list[UUID], person: User) -> Chosen:
    """Return these conversations, of whomever they are, to be read for an export of `person`."""
    counts = dict(kept(Conversation).filter(pk__in=ids).order_by("pk").values_list("pk").annotate(Count("messages")))
    return Chosen(person=person, messages=counts, octets=0, title="", door=kept, is_for_office=True)


def conversation_lines(chosen: Chosen) -> Iterator[tuple[Conversation, Iterator[bytes]]]:
    """Yield each conversation with its lines; take all lines of one before the next.

    Raises NotWhole where one of them is removed meanwhile.
    """
    for chunk in chosen.chunks():
        heads = _heads(chunk)
        part = Chosen(
            person=chosen.person,
            messages={pk: chosen.messages[pk] for pk in chunk},
            octets=0,
            title="",
            door=chosen.door,
            is_for_office=True,
        )
        said = groupby(read_turns(part), key=lambda turn: turn.conversation.pk)
        speaking = next(said, None)
        for pk in chunk:
            if pk not in heads:
                continue
            conversation, head = heads[pk]
            if speaking is not None and speaking[0] == pk:
                yield conversation, _lines(head, speaking[1])
                speaking = next(said, None)
            else:
                yield conversation, iter([head])


def path_of_file(file: Attachment) -> str:
    """Return where a file is in an export. Rows that share an object share its path. No word of a name is in it."""
    suffix = split_name(file.name)[1]
    return f"files/{file.key.rpartition('/')[2]}{suffix.lower() if _SUFFIX.fullmatch(suffix) else ''}"


def tombstone_line(tombstone: Tombstone) -> bytes:
    """Return what is left of a removed conversation."""
    names = [field.attname for field in tombstone._meta.local_fields]
    return line({"type": "tombstone"} | {name: getattr(tombstone, name) for name in names}).encode()


def _lines(head: bytes, turns: Iterator[Turn]) -> Iterator[bytes]:
    yield head
    for turn in turns:
        facts = message_facts(turn)
        facts["generations"] = [_call(call) for call in turn.calls]
        for told, file in zip(_dicts(facts["attachments"]), turn.files, strict=True):
            told["path"] = path_of_file(file) if file.state == Attachment.State.READY else None
        yield line({"type": "message", "conversation_id": turn.conversation.pk} | facts).encode()


def _heads(ids: list[UUID]) -> dict[UUID, tuple[Conversation, bytes]]:
    """Read the conversations themselves, in two queries."""
    rows = kept(Conversation).filter(pk__in=ids)
    calls: dict[UUID | None, list[dict[str, object]]] = defaultdict(list)
    for call in kept(Generation).filter(conversation__in=ids, message__isnull=True).select_related("model"):
        calls[call.conversation_id].append(_call(call) | {"purpose": call.purpose})
    found = rows.select_related("owner", "assistant", "model", "sealed_document")
    return {row.pk: (row, line(_conversation(row, calls[row.pk])).encode()) for row in found}


def _conversation(conversation: Conversation, calls: list[dict[str, object]]) -> dict[str, object]:
    owner = conversation.owner
    sealed = getattr(conversation, "sealed_document", None)
    return (
        {"type": "conversation"}
        | conversation_facts(conversation)
        | {
            "owner": {
                "id": owner.pk,
                "username": owner.get_username(),
                "email": owner.email,
                "name": owner.get_full_name(),
            },
            "hidden_at": conversation.hidden_at,
            "sealed": sealed and {"sha256": sealed.sha256, "size": sealed.size, "address": sealed.address},
            "other_generations": calls,
        }
    )


def _call(call: Generation) -> dict[str, object]:
    return call_facts(call) | {"instructions": call.instructions, "error_detail": call.error_detail}


def _dicts(value: Any) -> list[dict[str, object]]:
    found: list[dict[str, object]] = value
    return found
