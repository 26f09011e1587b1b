"""What an export reads: messages with all that is known of them, a few hundred at a time.

Every batch asks anew for what the person may see. Nothing is held between two batches but the ids of the messages of
the conversations at hand, so it may stand still for as long as a browser reads.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db.models import Count, F, Func, IntegerField, Model, QuerySet, Sum
from django.utils import timezone

from conversations.models import Attachment, Conversation, Feedback, Generation, Message
from conversations.models.tree import Place, Tree
from conversations.usage import Usage, usage_of

if TYPE_CHECKING:
    from accounts.models import User

BATCH_MESSAGES = 300
BATCH_BYTES = 1_000_000  # of text; a longer message is a batch of its own
CHUNK_MESSAGES = 5_000  # whose ids are in memory together, unless one conversation has more
CHUNK_CONVERSATIONS = 500
FILES_AT_ONCE = 300


type Door = Callable[[type[Model]], QuerySet[Any]]
"""Gives the rows of a table that may be read."""


class NotWhole(Exception):
    """Something that was chosen is not there any more: a conversation was hidden while it was read."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """Conversations of one person that are to leave, oldest first."""

    person: User
    """Who has it exported."""
    messages: dict[UUID, int]
    """How many each of them has."""
    octets: int
    """Of all their text."""
    title: str
    """Of the only one; empty where there are more."""
    chosen_at: datetime.datetime = field(default_factory=timezone.now)
    door: Door | None = None
    """What is read; nothing given, what the person may see."""
    is_for_office: bool = False
    """With what is written for administrators alone: instructions as sent, and details of errors."""

    def rows(self, table: Any) -> QuerySet[Any]:
        """Return the rows of a table that may be read for it."""
        visible: QuerySet[Any] = self.door(table) if self.door else table.objects.visible_to(self.person)
        return visible

    def chunks(self) -> Iterator[list[UUID]]:
        """Yield the conversations, as many at a time as are read together."""
        chunk: list[UUID] = []
        count = 0
        for pk, messages in self.messages.items():
            if chunk and (count + messages > CHUNK_MESSAGES or len(chunk) == CHUNK_CONVERSATIONS):
                yield chunk
                chunk, count = [], 0
            chunk.append(pk)
            count += messages
        if chunk:
            yield chunk


@dataclass(frozen=True, slots=True)
class Outline:
    """A conversation, and the order in which its messages are read."""

    conversation: Conversation
    tree: Tree
    octets: dict[UUID, int]
    """How long the text of each message is, in the order in which they were said."""
    path: dict[UUID, int]
    """The messages that are shown, with their numbers from 1 on."""

    @property
    def other_versions(self) -> int:
        """How many messages are not on the path that is shown."""
        return len(self.octets) - len(self.path)


@dataclass(frozen=True, slots=True)
class Turn:
    """A message with its model calls, oldest first, its files and what its owner thinks of it."""

    outline: Outline
    message: Message
    text: str
    calls: list[Generation]
    usage: Usage | None
    """What its calls used together."""
    files: list[Attachment]
    rating: Feedback | None

    @property
    def conversation(self) -> Conversation:
        return self.outline.conversation

    @property
    def is_prompt(self) -> bool:
        return self.message.role == Message.Role.USER

    @property
    def number(self) -> int | None:
        """Its place on the path that is shown; None beside it."""
        return self.outline.path.get(self.message.pk)

    @property
    def place(self) -> Place:
        return self.outline.tree.place(self.message.pk)

    @property
    def answerer(self) -> str:
        """The assistant that answers here; empty for prompts."""
        return "" if self.is_prompt else (self.message.assistant or self.conversation.assistant).name


def choose(*, person: User, ids: Collection[UUID] | None = None) -> Chosen:
    """Return these conversations of a person, or all that they have not hidden.

    Raises Conversation.DoesNotExist where one of them is not theirs to see: nothing is exported in part.
    """
    rows = Conversation.objects.visible_to(person)
    if ids is not None:
        rows = rows.filter(pk__in=set(ids))
    sums = rows.order_by("pk").values("pk", "title")
    found = list(sums.annotate(number=Count("messages"), octets=Sum(_octets("messages__text"))))
    if ids is not None and len(found) != len(set(ids)):
        raise Conversation.DoesNotExist
    return Chosen(
        person=person,
        messages={row["pk"]: row["number"] for row in found},
        octets=sum(row["octets"] or 0 for row in found),
        title=found[0]["title"] if len(found) == 1 else "",
    )


def read_turns(chosen: Chosen, *, shown_only: bool = False) -> Iterator[Turn]:
    """Yield every message, conversation by conversation in the order in which they were said.

    With `shown_only` only those of the paths that are shown. Raises NotWhole where a conversation was hidden meanwhile.
    """
    for chunk in chosen.chunks():
        outlines = _outlines(chosen, chunk)
        wanted = ((pk, outline) for outline in outlines for pk in (outline.path if shown_only else outline.octets))
        for batch in _batches(wanted):
            yield from _turns(chosen, batch)


def read_files(chosen: Chosen) -> Iterator[Attachment]:
    """Yield every file, with its message but not what that says. Raises NotWhole as `read_turns` does."""
    for chunk in chosen.chunks():
        _whole(chosen.rows(Conversation).filter(pk__in=chunk).count(), chunk)
        rows = chosen.rows(Attachment).filter(message__conversation__in=chunk).order_by("pk")
        rows = rows.select_related("message").defer("message__text", "message__search_vector")
        last: UUID | None = None
        while batch := list(rows.filter(pk__gt=last)[:FILES_AT_ONCE] if last else rows[:FILES_AT_ONCE]):
            yield from batch
            last = batch[-1].pk


def _outlines(chosen: Chosen, ids: list[UUID]) -> list[Outline]:
    """Who follows whom in these conversations, in two queries that read no text."""
    conversations = chosen.rows(Conversation).filter(pk__in=ids).select_related("assistant", "model", "owner")
    found = list(conversations.order_by("pk"))
    _whole(len(found), ids)
    rows: dict[UUID, list[tuple[UUID, UUID | None, int]]] = {}
    messages = chosen.rows(Message).filter(conversation__in=ids).order_by("id")
    for conversation, pk, parent, octets in messages.values_list("conversation_id", "id", "parent_id", _octets("text")):
        rows.setdefault(conversation, []).append((pk, parent, octets))
    return [_outline(conversation, rows.get(conversation.pk, [])) for conversation in found]


def _outline(conversation: Conversation, rows: list[tuple[UUID, UUID | None, int]]) -> Outline:
    tree = Tree((pk, parent) for pk, parent, _ in rows)
    path = tree.path_to(conversation.current_leaf_id)
    octets = {pk: octets for pk, _, octets in rows}
    return Outline(conversation, tree, octets, {pk: number for number, pk in enumerate(path, start=1)})


def _batches(wanted: Iterable[tuple[UUID, Outline]]) -> Iterator[dict[UUID, Outline]]:
    batch: dict[UUID, Outline] = {}
    octets = 0
    for pk, outline in wanted:
        if batch and (len(batch) == BATCH_MESSAGES or octets + outline.octets[pk] > BATCH_BYTES):
            yield batch
            batch, octets = {}, 0
        batch[pk] = outline
        octets += outline.octets[pk]
    if batch:
        yield batch


def _turns(chosen: Chosen, batch: dict[UUID, Outline]) -> list[Turn]:
    """Read these messages, in this order, in four queries."""
    ids = list(batch)
    messages = chosen.rows(Message).select_related("assistant").in_bulk(ids)
    _whole(len(messages), ids)
    calls = chosen.rows(Generation).select_related("model")
    if not chosen.is_for_office:
        calls = calls.defer("instructions", "error_detail")
    calls_of = _grouped(calls.filter(message_id__in=ids).order_by("id"))
    files_of = _grouped(chosen.rows(Attachment).filter(message_id__in=ids).order_by("id"))
    ratings_of = _grouped(chosen.rows(Feedback).filter(message_id__in=ids))
    return [
        Turn(
            outline=outline,
            message=messages[pk],
            text=messages[pk].text_so_far(),
            calls=calls_of.get(pk, []),
            usage=usage_of(calls_of[pk]) if pk in calls_of else None,
            files=files_of.get(pk, []),
            rating=next(iter(ratings_of.get(pk, [])), None),
        )
        for pk, outline in batch.items()
    ]


def _whole(found: int, ids: list[UUID]) -> None:
    if found < len(ids):
        raise NotWhole(f"{len(ids) - found} of {len(ids)} rows are not visible any more")


def _grouped[Row: Model](rows: QuerySet[Row]) -> dict[UUID, list[Row]]:
    found: dict[UUID, list[Row]] = {}
    for row in rows:
        message_id: Any = getattr(row, "message_id")  # noqa: B009 (each of these tables has one)
        found.setdefault(message_id, []).append(row)
    return found


def _octets(column: str) -> Func:
    """How long a text is, which PostgreSQL knows without reading it."""
    return Func(F(column), function="octet_length", output_field=IntegerField())
