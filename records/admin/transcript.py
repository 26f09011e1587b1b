"""The order in which a reviewer reads a conversation: every message of the tree, branches marked, page by page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from conversations.models import Conversation, Generation, Message
from conversations.models.tree import Place, Tree
from conversations.presentation import FileRoutes, MessageView, message_context

PAGE = 200
"""Messages on a page."""
REVIEWED_FILES = FileRoutes("records:file", "records:thumbnail")


@dataclass(frozen=True, slots=True)
class Entry:
    """A message as the chat draws it, and its place in the tree."""

    view: MessageView
    place: Place
    """Counted among its siblings: edits of a prompt, or retries of an answer."""
    is_shown: bool
    """On the path that the owner sees."""
    calls: list[Generation] = field(default_factory=list)
    """Every call that was made for it, in their order."""


@dataclass(frozen=True, slots=True)
class Transcript:
    """A page of a conversation."""

    entries: list[Entry]
    page: int
    pages: int
    first: int
    """Number of the first message shown, counted from 1; 0 where there is none."""
    messages: int
    """In all, on all branches."""
    titles: list[Generation]
    """Calls for titles, the newest few."""

    @property
    def last(self) -> int:
        return max(self.first + len(self.entries) - 1, 0)

    @property
    def pictures(self) -> int:
        """How many pictures are shown in small."""
        return sum(len(entry.view.pictures) for entry in self.entries)


def read_transcript(conversation: Conversation, *, page: str = "", at: str = "") -> Transcript:
    """Return one page of all messages, in a constant number of queries: each branch to its end, older branches first.

    Read from top to bottom, a message follows its parent, except where a mark says that a branch begins. `at` is the id
    of a message whose page is wanted, `page` a number; what is neither shows the first page. Of messages on other pages
    the ids alone are read.
    """
    tree = conversation.tree()
    ordered = _ordered(tree)
    pages = max(-(-len(ordered) // PAGE), 1)
    number = _number(page, pages)
    wanted = _id(at)
    if wanted in tree.parents:
        number = ordered.index(wanted) // PAGE + 1
    start = (number - 1) * PAGE
    ids = ordered[start : start + PAGE]
    shown = set(tree.path_to(conversation.current_leaf_id))
    messages = conversation.messages_of(ids)
    calls = _calls([message.pk for message in messages if message.role == Message.Role.ASSISTANT])
    entries = [
        Entry(view, tree.place(view.message.pk), view.message.pk in shown, calls[view.message.pk])
        for view in message_context(messages, routes=REVIEWED_FILES)
    ]
    titles = conversation.generations.filter(message__isnull=True).order_by("-id")[:5]
    return Transcript(entries, number, pages, start + 1 if entries else 0, len(ordered), list(titles))


def _ordered(tree: Tree) -> list[UUID]:
    ordered: list[UUID] = []
    waiting = tree.children.get(None, [])[::-1]  # a stack rather than recursion: a thread may be thousands deep
    while waiting:
        ordered.append(waiting.pop())
        waiting.extend(tree.children.get(ordered[-1], [])[::-1])
    return ordered


def _calls(answers: Sequence[UUID]) -> defaultdict[UUID, list[Generation]]:
    found: defaultdict[UUID, list[Generation]] = defaultdict(list)
    if answers:
        calls = Generation.objects.filter(message_id__in=answers).order_by("id")
        for call in calls.defer("instructions", "parameters"):
            if call.message_id is not None:
                found[call.message_id].append(call)
    return found


def _number(text: str, pages: int) -> int:
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 1
    return min(max(number, 1), pages)


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
