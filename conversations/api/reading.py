"""Whose rows a request may read: one's own, or everybody's with `everyone=true`, which is audited."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from accounts.access import Access, may_read_all
from audit import services as audit
from rest.problems import Problem

if TYPE_CHECKING:
    from accounts.models import User


class Door[Rows: QuerySet](Protocol):  # type: ignore[type-arg]
    """A manager of rows that have owners."""

    def visible_to(self, user: User) -> Rows: ...
    def reviewable_by(self, user: User) -> Rows: ...


def rows_of[Rows: QuerySet](door: Door[Rows], user: User, access: Access, *, everyone: bool) -> Rows:  # type: ignore[type-arg]
    """Return the rows that a request may read. Raises Problem (403) where it may not read everybody's."""
    if not everyone:
        return door.visible_to(user)
    if not may_read_all(user, access):
        raise Problem(
            403,
            "not_everyone",
            "everyone=true needs a token with the scope read_all, of somebody who may review conversations.",
        )
    return door.reviewable_by(user)


def note_read(
    user: User,
    access: Access,
    *,
    kind: str,
    object_type: str,
    object_id: UUID | int,
    owner_id: int,
    conversation_id: UUID | None = None,
    count: int | None = None,
) -> None:
    """Write that something of somebody else is read, before it leaves the server. Of one's own nothing is written.

    `conversation_id` tells its owner in which conversation it stands, where it is not the conversation itself.
    """
    if owner_id == user.pk:
        return
    details: dict[str, audit.Detail] = {"token": str(access.token_id)}
    if conversation_id is not None:
        details["conversation"] = str(conversation_id)
    if count is not None:
        details["count"] = count
    with transaction.atomic():
        audit.record(
            kind=kind,
            actor=user,
            object_type=object_type,
            object_id=object_id,
            subject_id=owner_id,
            details=details,
        )


def note_listed(user: User, access: Access, *, kind: str, owners: Sequence[int]) -> None:
    """Write that a page of a list shows rows of others, and whose; `owners` are those of all its rows."""
    others = _others(owners, user)
    if not others:
        return
    details: dict[str, audit.Detail] = {"token": str(access.token_id), "count": len(owners), "owners": others}
    with transaction.atomic():
        audit.record(kind=kind, actor=user, details=details)


def _others(owners: Iterable[int], user: User) -> list[int]:
    return sorted(set(owners) - {user.pk})
