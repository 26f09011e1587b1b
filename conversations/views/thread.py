"""Which messages of a conversation a page shows: one path through them, and of a long one the part asked for."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from conversations.models import Conversation, Message
from conversations.models.tree import Place
from conversations.services import settle_stalled

SHOWN = 100  # of the newest messages; a link shows more
MOST = 1000  # on one page; further ones are a page away


@dataclass(frozen=True, slots=True)
class Thread:
    """Messages that follow each other, `first` others before them."""

    path: list[UUID]
    first: int
    messages: list[Message]
    places: dict[UUID, Place]
    is_current: bool
    """It is the path that a plain prompt goes on from, and not another version."""

    @property
    def first_number(self) -> int:
        return self.first + 1

    @property
    def earlier(self) -> int:
        """How many messages come before those shown."""
        return self.first

    @property
    def later(self) -> int:
        """How many messages come after those shown."""
        return len(self.path) - self.first - len(self.messages)

    @property
    def last(self) -> UUID | None:
        return self.messages[-1].pk if self.messages else None

    @property
    def parent(self) -> UUID | None:
        """What a prompt is to follow, where that is not the end of the current path."""
        return None if self.is_current or not self.path else self.path[-1]

    @property
    def is_running(self) -> bool:
        return bool(self.messages) and self.messages[-1].is_running

    @property
    def earlier_link(self) -> str:
        """The query of a page that shows more of what came before."""
        more = len(self.messages) + 4 * SHOWN
        if self.later or more > MOST:
            return f"?at={self.messages[0].pk}#message-{self.messages[0].pk}"
        return f"?show={more}" if self.is_current else f"?at={self.path[-1]}&show={more}"

    @property
    def later_link(self) -> str:
        """The query of a page that shows more of what came after."""
        return f"?at={self.last}#message-{self.last}"

    @property
    def end_link(self) -> str:
        """The query of the page with the end of this path."""
        return f"?at={self.path[-1]}#latest"


def read_thread(conversation: Conversation, *, at: str = "", show: str = "") -> Thread:
    """Read the newest 100 messages of a path, or as many as `show` says, or as many around `at` where it is older.

    The path is the current one, or one through the message `at`, which may have other versions on the current path.
    Nonsense and ids of other conversations are ignored. Only the ids of the others are read, however many there are.
    """
    tree, wanted = conversation.tree(), _id(at)
    path = tree.path_through(wanted, current_leaf=conversation.current_leaf_id)
    is_current = not path or path[-1] == conversation.current_leaf_id
    count = min(_number(show), MOST, len(path))
    first = len(path) - count
    if wanted in path[:first]:
        first = max(path.index(wanted) - count // 2, 0)
    ids = path[first : first + count]
    messages = conversation.messages_of(ids)
    if messages and messages[-1].is_running and settle_stalled(message_id=messages[-1].pk):
        messages = conversation.messages_of(ids)
    return Thread(path, first, messages, {message_id: tree.place(message_id) for message_id in ids}, is_current)


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 and int(text) else SHOWN
