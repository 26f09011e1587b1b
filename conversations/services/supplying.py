"""Asking with a history: programs that hold a conversation themselves say all of it each time, and have it recorded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import batched, pairwise
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from conversations.ids import uuid7
from conversations.models import Assistant, Conversation, LanguageModel, Message
from conversations.services.attachments import attach
from conversations.services.branching import choose_answerer, require_offered
from conversations.services.refusals import Refusal, Refused
from conversations.services.sending import (
    accepted,
    commit_turn,
    end_of_path,
    lock_conversation,
    model_for,
    provisional_title,
    require_open,
    sent_before,
)
from conversations.text import clean_text, is_blank

if TYPE_CHECKING:
    from accounts.models import User

MAX_TURNS = 2000
BATCH = 500  # messages that are written at a time
_BROKEN_OFF = (Message.Status.FAILED, Message.Status.INTERRUPTED)


@dataclass(frozen=True, slots=True)
class Said:
    """A message of a history: who spoke ("user" or "assistant"), what, and the uploads that go with it."""

    role: str
    text: str
    attachment_ids: tuple[UUID, ...] = ()

    def accepted(self) -> Said:
        """Return it as it is stored. Raises Refused (empty, too_long)."""
        if self.role == Message.Role.USER:
            return Said(self.role, accepted(self.text), self.attachment_ids)
        text = clean_text(self.text.replace("\r\n", "\n"))
        if is_blank(text):
            raise Refused(Refusal.EMPTY, "The answer is empty. Leave it out, or say what it was.")
        return Said(self.role, text, self.attachment_ids)

    def repeats(self, message: Message) -> bool:
        """Whether it is what was said there. White space around it is nobody's, and line breaks are of one kind."""
        return (self.role, self.text.strip()) == (message.role, message.text.replace("\r\n", "\n").strip())


@dataclass(frozen=True, slots=True)
class Place:
    """Where a history goes on from a conversation: behind which message, and which of its own is the first new one."""

    parent_id: UUID | None
    first: int


def start_from_history(
    *,
    owner: User,
    assistant: Assistant,
    history: Sequence[Said],
    client_token: UUID,
    model: LanguageModel | None = None,
    options: dict[str, Any] | None = None,
) -> Message:
    """Begin a conversation with what a client says was said, and return the answer to the last of it, a prompt.

    What comes before is stored as supplied: no model was called for it, and nothing is reckoned. The title is the
    beginning of the first prompt and stays, so that no further call is made. `model` answers in place of the
    assistant's own. The same `client_token` and prompt again return the answer that was made the first time. Raises
    Refused (empty, too_long, history, assistant_unavailable, no_model, file, token_reused, limit).
    """
    said = _accepted(history)
    first = next(turn.text for turn in said if turn.role == Message.Role.USER)
    try:
        with transaction.atomic():
            conversation = Conversation(
                owner=owner,
                assistant=assistant,
                model=model,
                title=provisional_title(first),
                is_title_provisional=False,
            )
            if model is not None:
                require_offered(model)
            chosen = model_for(conversation)
            conversation.save(force_insert=True)
            return _commit(conversation, Place(None, 0), said, client_token, chosen, options)
    except (Refused, IntegrityError) as error:
        return sent_before(owner.pk, client_token, said[-1].text, error)


def send_history(
    *,
    owner: User,
    conversation_id: UUID,
    history: Sequence[Said],
    client_token: UUID,
    is_addition: bool = False,
    parent_id: UUID | None = None,
    assistant: Assistant | None = None,
    model: LanguageModel | None = None,
    options: dict[str, Any] | None = None,
) -> Message:
    """Go on in a conversation of `owner` with a history that extends it, and return the answer to the last prompt.

    The history repeats the path that is shown, as `find_place` tells; what it adds before its last prompt is stored as
    supplied. With `is_addition` it holds what is new alone, and follows that path or the answer `parent_id`.
    `assistant` and `model` choose who answers from here on: an assistant without a model answers with its own. The lock
    on the conversation makes parallel calls take turns, so that one of two that extend the same path is told that it is
    not that path any more. The same `client_token` and prompt again return the answer that was made the first time.
    Raises Refused (empty, too_long, history, no_parent, busy, concluded, assistant_unavailable, no_model, file,
    token_reused, limit), and Conversation.DoesNotExist where it is not theirs.
    """
    said = _accepted(history)
    own = Conversation.objects.visible_to(owner).get(pk=conversation_id)
    try:
        with transaction.atomic():
            conversation = lock_conversation(own)
            if conversation.hidden_at is not None:
                raise Conversation.DoesNotExist
            require_open(conversation)
            if is_addition:
                place = Place(end_of_path(conversation, parent_id), 0)
            else:
                place = find_place(conversation=conversation, history=said)
            asked = assistant or conversation.assistant
            is_chosen = assistant is not None or model is not None
            if is_chosen and (asked, model) != (conversation.assistant, conversation.model):
                conversation = choose_answerer(conversation=conversation, assistant=asked, model=model)
            chosen = model_for(conversation)
            return _commit(conversation, place, said, client_token, chosen, options)
    except (Refused, IntegrityError) as error:
        return sent_before(owner.pk, client_token, said[-1].text, error)


def find_place(*, conversation: Conversation, history: Sequence[Said]) -> Place:
    """Return where a history goes on from the path that is shown.

    It repeats all that was said there, but may leave out answers that broke off, which its client was told of as a
    fault. Where it adds nothing and the last prompt has no answer, it says that prompt once more, as another version.
    Raises Refused (history) where it is not the path's continuation.
    """
    path = [message for message in conversation.path() if message.text]
    whole = [message for message in path if message.status not in _BROKEN_OFF]
    for stored in (path, whole):
        known = _count_repeated(history, stored)
        if known < len(stored):
            continue
        if known < len(history):
            return Place(conversation.current_leaf_id, known)
        if stored and stored[-1].role == Message.Role.USER:
            return Place(stored[-1].parent_id, known - 1)
    known = _count_repeated(history, path)
    where = (
        f"history[{known}] is not what was said there" if known < len(history) else "the history ends before it does"
    )
    raise Refused(
        Refusal.HISTORY,
        f"The history does not extend the conversation, which has {len(path)} messages: {where}. Repeat them as they "
        "are and add a prompt, or leave out the conversation to begin a new one.",
    )


def _count_repeated(history: Sequence[Said], stored: Sequence[Message]) -> int:
    """Return how many messages, from the first one on, both have in common."""
    pairs = enumerate(zip(history, stored, strict=False))
    longest = min(len(history), len(stored))
    return next((number for number, (said, message) in pairs if not said.repeats(message)), longest)


def _accepted(history: Sequence[Said]) -> list[Said]:
    if not history or history[-1].role != Message.Role.USER:
        raise Refused(Refusal.HISTORY, "The history must end with a message of the user: that is what is answered.")
    if len(history) > MAX_TURNS:
        raise Refused(
            Refusal.HISTORY,
            f"The history has {len(history):,} messages; it may have {MAX_TURNS:,}. Leave out the oldest.",
        )
    return [said.accepted() for said in history]


def _commit(
    conversation: Conversation,
    place: Place,
    history: Sequence[Said],
    client_token: UUID,
    model: LanguageModel,
    options: dict[str, Any] | None,
) -> Message:
    *supplied, prompt = history[place.first :]
    messages = _supply(conversation, place.parent_id, supplied)
    before = "\n".join(said.text for said in history[:-1])
    answer = commit_turn(
        conversation,
        messages[-1].pk if messages else place.parent_id,
        prompt.text,
        client_token,
        model,
        prompt.attachment_ids,
        options=options,
        beside=before,
    )
    for message, said in zip(messages, supplied, strict=True):  # whoever sends is locked first, then files
        attach(message=message, attachment_ids=said.attachment_ids, model=model)
    return answer


def _supply(conversation: Conversation, parent_id: UUID | None, supplied: Sequence[Said]) -> list[Message]:
    """Write what a client says was said, one behind the other, and return it."""
    now = timezone.now()
    messages = [
        Message(
            id=uuid7(),
            conversation=conversation,
            owner_id=conversation.owner_id,
            assistant_id=conversation.assistant_id if said.role == Message.Role.ASSISTANT else None,
            role=said.role,
            status=Message.Status.COMPLETED,
            text=said.text,
            is_supplied=True,
            finished_at=now if said.role == Message.Role.ASSISTANT else None,
        )
        for said in supplied
    ]
    if messages:
        messages[0].parent_id = parent_id
    for before, after in pairwise(messages):
        after.parent_id = before.pk
    for some in batched(messages, BATCH):
        Message.objects.bulk_create(some)
    return messages
