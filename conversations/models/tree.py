"""The messages of a conversation as a tree of light rows: which path is shown, and which versions a message has."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Place:
    """Where a message stands among its siblings: the edits of one prompt, or the answers to it, oldest first."""

    version: int = 1
    versions: int = 1
    previous: UUID | None = None
    next: UUID | None = None
    is_end: bool = True
    """Nothing was said after it, on any path."""


class Tree:
    """Who follows whom, by ids alone: a conversation of 20,000 messages is walked without reading what they say."""

    def __init__(self, rows: Iterable[tuple[UUID, UUID | None]]) -> None:
        """Take the id of each message with its parent's, ordered by id."""
        self.parents: dict[UUID, UUID | None] = dict(rows)
        self.children: dict[UUID | None, list[UUID]] = {}
        for message_id, parent_id in self.parents.items():
            self.children.setdefault(parent_id, []).append(message_id)

    def path_to(self, leaf: UUID | None) -> list[UUID]:
        """Return the messages from the first one to `leaf`."""
        path, at = [], leaf
        while at is not None and at in self.parents:
            path.append(at)
            at = self.parents[at]
        return path[::-1]

    def path_through(self, at: UUID | None, *, current_leaf: UUID | None) -> list[UUID]:
        """Return the current path where `at` lies on it or is unknown, else the newest path that leads through `at`."""
        current = self.path_to(current_leaf)
        if at is None or at not in self.parents or at in current:
            return current
        return self.path_to(self.newest_leaf(at))

    def newest_leaf(self, at: UUID) -> UUID:
        """Return the end of the path that was gone on with last, of all those that lead through `at`."""
        newest, waiting = at, [at]  # a stack rather than recursion: a thread may be thousands deep
        is_leaf = False
        while waiting:
            message_id = waiting.pop()
            following = self.children.get(message_id, [])
            waiting.extend(following)
            if not following and (not is_leaf or message_id > newest):
                newest, is_leaf = message_id, True
        return newest

    def place(self, message_id: UUID) -> Place:
        """Return where a message of the conversation stands."""
        siblings = self.children[self.parents[message_id]]
        number = siblings.index(message_id)
        return Place(
            version=number + 1,
            versions=len(siblings),
            previous=siblings[number - 1] if number else None,
            next=siblings[number + 1] if number + 1 < len(siblings) else None,
            is_end=message_id not in self.children,
        )
