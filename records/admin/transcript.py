"""The order in which a reviewer reads a conversation: every message of the tree, branches marked."""

from collections import defaultdict
from dataclasses import dataclass
from uuid import UUID

from conversations.models import Conversation, Message
from conversations.presentation import MessageView, message_context


@dataclass(frozen=True, slots=True)
class Entry:
    """A message as the chat draws it, and its place in the tree."""

    view: MessageView
    version: int
    """Counted from 1 among its siblings: edits of a prompt, or retries of an answer."""
    versions: int
    is_shown: bool
    """On the path that the owner sees."""


def read_transcript(conversation: Conversation) -> list[Entry]:
    """Return every message once, in a constant number of queries: each branch to its end, older branches first.

    Read from top to bottom, a message follows its parent, except where a mark says that a branch begins.
    """
    children: dict[UUID | None, list[Message]] = defaultdict(list)
    parents: dict[UUID, UUID | None] = {}
    for message in conversation.messages.order_by("id"):
        children[message.parent_id].append(message)
        parents[message.pk] = message.parent_id
    shown, at = set(), conversation.current_leaf_id
    while at is not None and at not in shown:
        shown.add(at)
        at = parents.get(at)
    ordered: list[tuple[Message, int, int]] = []
    waiting = _versions(children[None])  # a stack rather than recursion: a thread may be thousands deep
    while waiting:
        ordered.append(waiting.pop())
        waiting.extend(_versions(children[ordered[-1][0].pk]))
    views = message_context([message for message, _, _ in ordered], opens_files=False)
    return [
        Entry(view, version, versions, view.message.pk in shown)
        for view, (_, version, versions) in zip(views, ordered, strict=True)
    ]


def _versions(siblings: list[Message]) -> list[tuple[Message, int, int]]:
    """Return siblings with their numbers, the oldest last, where `pop` takes it first."""
    return [(message, number, len(siblings)) for number, message in enumerate(siblings, 1)][::-1]
