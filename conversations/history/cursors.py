"""Where a list goes on: after the row that was last, by its time and its id, whatever has happened meanwhile."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, NamedTuple, Self
from uuid import UUID

from django.core import signing
from django.db.models import Q

if TYPE_CHECKING:
    from accounts.models import User

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_TICK = datetime.timedelta(microseconds=1)


class BadCursor(Exception):
    """A cursor that was not made here, or for another list or another person."""


class Cursor(NamedTuple):
    """The last row of a page."""

    at: datetime.datetime
    id: UUID

    def write(self, user: User, of: str) -> str:
        """Return it as text for addresses, signed for this person and the list named `of`."""
        return _signer(user, of).sign(f"{(self.at - _EPOCH) // _TICK:x}-{self.id.hex}")

    @classmethod
    def read(cls, text: str, user: User, of: str) -> Self | None:
        """Return the cursor that `write` wrote, None for an empty text. Raises BadCursor."""
        if not text:
            return None
        try:
            ticks, _, hexadecimal = _signer(user, of).unsign(text).partition("-")
        except signing.BadSignature:
            raise BadCursor from None
        return cls(_EPOCH + int(ticks, 16) * _TICK, UUID(hex=hexadecimal))

    def rows_after(self, time: str) -> Q:
        """Return the condition for the rows that follow where newest `time` comes first, then the highest id.

        The first part alone tells an index where to begin.
        """
        return Q(**{f"{time}__lte": self.at}) & (Q(**{f"{time}__lt": self.at}) | Q(id__lt=self.id))


def _signer(user: User, of: str) -> signing.Signer:
    return signing.Signer(salt=f"conversations.cursor.{of}.{user.pk}")
