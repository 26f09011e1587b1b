"""Who waits for an answer or reads along, asked anew: what lasts for minutes checks whether it may go on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from accounts.tokens import still_holds
from conversations.api.serializers import MESSAGE_ROWS, show_message
from conversations.live.session import person_of
from conversations.models import Message

if TYPE_CHECKING:
    from collections.abc import Collection

    from rest_framework.request import Request

    from accounts.access import Access
    from accounts.models import User


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who may see an answer now. What it tells is read from the database; to be asked in a thread."""

    user: User
    access: Access
    session_key: str
    message_id: UUID

    @classmethod
    def of(cls, request: Request, user: User, access: Access, message_id: UUID) -> Reader:
        """Return who sent a request that was let in."""
        key = str(request.session.session_key) if access.kind == "session" else ""
        return cls(user, access, key, message_id)

    def is_let_in(self) -> bool:
        """Whether what the request came with, a session or a token, would be let in again."""
        if self.access.kind != "session":
            return still_holds(user_id=self.user.pk, access=self.access)
        person = person_of(self.session_key)
        return person is not None and person.pk == self.user.pk

    def may_go_on(self) -> bool:
        """Whether they may go on reading this answer."""
        return self.is_let_in() and Message.objects.visible_to(self.user).filter(pk=self.message_id).exists()

    def shown(self, only: Collection[str] | None = None) -> dict[str, Any] | None:
        """Return the answer as JSON; None where they may not see it any more."""
        visible = Message.objects.visible_to(self.user).select_related(*MESSAGE_ROWS)
        message = visible.filter(pk=self.message_id).first()
        return show_message(message, only=only) if message is not None else None
