"""What a request of the API may do, whatever it signed in with."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Literal
from uuid import UUID

if TYPE_CHECKING:
    from accounts.models import User

REVIEW = "conversations.review_conversation"
"""The right without which READ_ALL opens nothing."""


class Scope(StrEnum):
    """What a token may be used for; in all of it the rights of its owner are the limit."""

    READ = "read"
    WRITE = "write"
    READ_ALL = "read_all"
    EVENTS = "events"

    @property
    def label(self) -> str:
        """What the scope lets a program do, for people."""
        return _LABELS[self]


_LABELS = {
    Scope.READ: "Read what is yours",
    Scope.WRITE: "Write for you: ask, change, delete",
    Scope.READ_ALL: "Read what everybody wrote; each reading is audited",
    Scope.EVENTS: "Follow events",
}


@dataclass(frozen=True, slots=True)
class Access:
    """What a request came with: `request.auth` of the REST framework."""

    kind: Literal["session", "token", "jwt"]
    scopes: frozenset[Scope]
    token_id: UUID | None = None
    expires_at: datetime.datetime | None = None
    """Until when it holds without being asked for again; of a token, the token's row says so."""


OWN = frozenset({Scope.READ, Scope.WRITE, Scope.EVENTS})
"""What people may do in the browser, and with a bearer token of the company's sign-in."""
SESSION = Access(kind="session", scopes=OWN)


def may_read_all(user: User, access: Access) -> bool:
    """Tell whether this request may read what others wrote: by its scope, and by its owner's right of this moment."""
    return Scope.READ_ALL in access.scopes and user.has_perm(REVIEW)
