"""Legal holds: what must stay, whatever a policy or a request for erasure says."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from audit import services as audit
from conversations.models import Conversation
from conversations.services import Refusal, Refused
from conversations.services.sending import lock_conversation
from records.models import LegalHold, Tombstone

if TYPE_CHECKING:
    from accounts.models import User

OBJECT_TYPE = "legalhold"


class Placed(NamedTuple):
    """A hold, and what it comes too late for."""

    hold: LegalHold
    too_late_for: list[UUID]
    """Conversations of the person whose removal had begun."""


def hold_conversation(*, conversation_id: UUID, placed_by: User, reason: str) -> LegalHold:
    """Let a conversation stay, whole, until the hold is lifted.

    The lock on it makes this and its removal take turns. Raises Refused (removed) where that has begun, naming it, and
    Conversation.DoesNotExist where there never was such a conversation.
    """
    with transaction.atomic():
        try:
            conversation = lock_conversation(Conversation(pk=conversation_id))
        except Conversation.DoesNotExist:
            tombstone = Tombstone.objects.filter(pk=conversation_id).first()
            if tombstone is None:
                raise
            raise Refused(Refusal.REMOVED, _too_late(tombstone)) from None
        hold = LegalHold.objects.create(conversation_id=conversation_id, placed_by=placed_by, reason=reason)
        _tell("hold.placed", hold, placed_by, reason, conversation.owner_id)
    return hold


def hold_person(*, person: User, placed_by: User, reason: str) -> Placed:
    """Let all conversations of a person stay, also later ones, until the hold is lifted.

    The lock on the person makes this and the removal of each conversation take turns: what was not begun before stays
    whole, and what was is named in what is returned.
    """
    with transaction.atomic():
        get_user_model().objects.select_for_update(no_key=True).get(pk=person.pk)
        hold = LegalHold.objects.create(user=person, placed_by=placed_by, reason=reason)
        begun = Tombstone.objects.filter(owner_id=person.pk, removed_at__isnull=True).order_by("pk")
        too_late_for = list(begun.values_list("pk", flat=True))
        _tell("hold.placed", hold, placed_by, reason, person.pk)
    return Placed(hold, too_late_for)


def lift_hold(*, hold: LegalHold, lifted_by: User, reason: str) -> LegalHold:
    """End a hold, for a reason; its row stays. Raises Refused (too_late) where somebody has lifted it already."""
    with transaction.atomic():
        hold = LegalHold.objects.select_for_update(of=("self",), no_key=True).get(pk=hold.pk)
        if hold.lifted_at is not None:
            raise Refused(Refusal.TOO_LATE, "This hold was lifted already.")
        hold.lifted_by, hold.lifted_at, hold.lift_reason = lifted_by, timezone.now(), reason
        hold.save(update_fields=["lifted_by", "lifted_at", "lift_reason"])
        _tell("hold.lifted", hold, lifted_by, reason, owner_of(hold))
    return hold


def holds_on(person_id: int) -> QuerySet[LegalHold]:
    """Return the holds in force on a person and on any of their conversations."""
    theirs = Conversation.every.filter(owner_id=person_id).values("pk")
    in_force = LegalHold.objects.filter(lifted_at__isnull=True)
    return in_force.filter(Q(user_id=person_id) | Q(conversation_id__in=theirs)).order_by("pk")


def owner_of(hold: LegalHold) -> int | None:
    """Return the id of the person whom a hold is about, also where its conversation was removed since."""
    if hold.user_id is not None or hold.conversation_id is None:
        return hold.user_id
    kept = Conversation.every.filter(pk=hold.conversation_id).values_list("owner_id", flat=True).first()
    removed = Tombstone.objects.filter(pk=hold.conversation_id).values_list("owner_id", flat=True)
    return removed.first() if kept is None else kept


def describe(hold: LegalHold) -> str:
    """Return which hold it is, in words that follow "the hold"."""
    on = "the person" if hold.user_id else f"conversation {hold.conversation_id}"
    return f"{hold.pk} on {on}, placed on {timezone.localtime(hold.placed_at):%-d %B %Y}"


def _too_late(tombstone: Tombstone) -> str:
    begun = f"{timezone.localtime(tombstone.begun_at):%-d %B %Y, %H:%M:%S}"
    if tombstone.removed_at is None:
        return f"The removal of conversation {tombstone.pk} began on {begun}, so a hold comes too late for it."
    return f"Conversation {tombstone.pk} was removed on {begun}, so there is nothing to hold."


def _tell(kind: str, hold: LegalHold, actor: User, reason: str, subject_id: int | None) -> None:
    on = {"conversation": str(hold.conversation_id)} if hold.conversation_id else {"person": hold.user_id}
    audit.record(
        kind=kind,
        actor=actor,
        object_type=OBJECT_TYPE,
        object_id=hold.pk,
        subject_id=subject_id,
        reason=reason,
        details=on,
    )
