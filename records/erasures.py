"""What pages and reports tell of runs and erasures: numbers, times and hashes."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db.models import Count, Max, Sum

from audit.models import AuditEvent
from conversations.amounts import money
from conversations.models import Attachment, Generation, Message, UsageDay
from records.models import RetentionRun, Review, Tombstone

if TYPE_CHECKING:
    from accounts.models import User

_WORDS = {
    "conversations": "Conversations",
    "messages": "Messages",
    "generations": "Model calls",
    "attachments": "Files",
    "attachment_bytes": "Bytes of files",
    "input_tokens": "Tokens of input",
    "output_tokens": "Tokens of output",
    "cost": "Cost",
    "unpriced_calls": "Calls of unknown cost",
    "held": "Kept by a hold",
    "waiting": "Waiting for what is on its way in them",
    "sessions": "Sessions ended",
    "tokens": "Tokens deleted",
    "addresses": "E-mail addresses deleted",
    "log_entries": "Entries of the log of changes cleared",
    "limits": "Limits deleted",
    "trials": "Test calls and previews emptied",
    "exports": "Exports ended",
    "groups": "Groups left",
}


class Belongings(NamedTuple):
    """What a person has, as counts: what erasing them removes, and what it leaves."""

    conversations: int
    messages: int
    generations: int
    attachments: int
    attachment_bytes: int
    reviews: int
    days: int


def rows_of(run: RetentionRun) -> list[tuple[str, str]]:
    """Return the counts of a run in words."""
    return [
        (words, money(Decimal(run.counts[name])) if name == "cost" else f"{run.counts[name]:,}")
        for name, words in _WORDS.items()
        if name in run.counts
    ]


def belongings_of(person: User) -> Belongings:
    """Count what a person has."""
    files = Attachment.objects.filter(owner=person)
    objects = files.order_by().values("key").annotate(size=Max("size")).aggregate(total=Sum("size"))
    return Belongings(
        conversations=person.conversations.count(),
        messages=Message.objects.filter(owner=person).count(),
        generations=Generation.objects.filter(conversation__owner=person).count(),
        attachments=files.count(),
        attachment_bytes=objects["total"] or 0,
        reviews=Review.objects.filter(claimed_by=person, state=Review.State.DONE).count(),
        days=UsageDay.objects.filter(owner=person).count(),
    )


def report_of(run: RetentionRun) -> dict[str, Any]:
    """Return what an erasure came to, for whoever asked for it: no name, and nothing that was said."""
    person_id = run.person_id or 0
    tombstones = Tombstone.objects.filter(owner_id=person_id).order_by("pk")
    used = UsageDay.objects.filter(owner_id=person_id).aggregate(days=Count("pk"), calls=Sum("calls", default=0))
    return {
        "format": 1,
        "person": run.person_id,
        "run": str(run.pk),
        "state": run.state,
        "problem": run.problem,
        "asked_by": run.requested_by_id,
        "asked_at": run.started_at,
        "ended_at": run.finished_at,
        "removed": run.counts,
        "kept": {
            "sums_of_use": used,
            "audit_events": AuditEvent.objects.filter(subject_id=person_id).count(),
            "reviews_by_them": Review.objects.filter(claimed_by=person_id, state=Review.State.DONE).count(),
        },
        "tombstones": [_tombstone(one) for one in tombstones.iterator(chunk_size=2000)],
    }


def _tombstone(tombstone: Tombstone) -> dict[str, Any]:
    names = [field.attname for field in tombstone._meta.local_concrete_fields if field.attname != "owner_id"]
    return {name: getattr(tombstone, name) for name in names}
