"""`manage.py verify_record`: is the record still what was sealed, and the audit what was written?"""

import datetime
from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.core.management import BaseCommand, CommandError
from django.utils import timezone

from conversations.files import storage
from conversations.models import Conversation
from conversations.services.verifying import Scope, Tally, verify
from records.models import Tombstone
from records.services.anchoring import AuditTally, verify_audit
from records.services.tombstones import RemovedTally, verify_removed


class Command(BaseCommand):
    help = (
        "Builds the document of each sealed conversation anew from its rows and compares it, and the one in storage, "
        "with the hash that was noted; reads every file and compares it with its hash; lists what was concluded and is "
        "not sealed; compares tombstones of removed conversations with what is told of them; and checks the chain of "
        "audit events against itself and its anchors in storage. Prints a line for each finding and ends with 1 when "
        "there are any."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--conversation", metavar="ID", type=UUID, help="look at this conversation and its files, not at the audit"
        )
        parser.add_argument(
            "--since",
            metavar="DATE",
            type=datetime.date.fromisoformat,
            help="look at what was sealed, and at files that came, on this day or later (2026-01-31); "
            "at the whole audit all the same",
        )
        parser.add_argument("--audit", action="store_true", help="look at the audit alone")

    def handle(
        self, *args: Any, conversation: UUID | None, since: datetime.date | None, audit: bool, **options: Any
    ) -> None:
        if audit and (conversation or since):
            raise CommandError(
                "--audit looks at the whole audit and nothing else: leave --conversation and --since out."
            )
        if conversation and not _is_known(conversation):
            raise CommandError(f"There is no conversation {conversation}.")
        midnight = timezone.make_aware(datetime.datetime.combine(since, datetime.time())) if since else None
        tally = None if audit else Tally()
        removed = None if audit else RemovedTally()
        audited = None if conversation else AuditTally()
        count = 0
        try:
            for finding in _look(Scope(conversation, midnight), tally, removed, audited):
                count += 1
                self.stdout.write(finding)
        except storage.StorageProblem as problem:
            raise CommandError(
                f"Storage cannot be asked: {problem}. {_summary(tally, removed, audited, count)}"
            ) from problem
        if count:
            raise CommandError(_summary(tally, removed, audited, count))
        self.stdout.write(_summary(tally, removed, audited, count))


def _is_known(conversation_id: UUID) -> bool:
    kept = Conversation.objects.filter(pk=conversation_id).exists()
    return kept or Tombstone.objects.filter(pk=conversation_id).exists()


def _look(scope: Scope, tally: Tally | None, removed: RemovedTally | None, audited: AuditTally | None) -> Iterator[str]:
    if tally is not None:
        yield from map(str, verify(scope, tally))
    if removed is not None:
        yield from verify_removed(scope, removed)
    if audited is not None:
        yield from verify_audit(audited)


def _summary(tally: Tally | None, removed: RemovedTally | None, audited: AuditTally | None, count: int) -> str:
    looked_at = []
    if tally is not None:
        looked_at += [_number(tally.documents, "sealed document"), _number(tally.files, "file")]
    if removed is not None and removed.tombstones:
        looked_at.append(_number(removed.tombstones, "tombstone"))
    if audited is not None:
        looked_at.append(f"{_number(audited.events, 'audit event')} ({_number(audited.anchors, 'anchor')})")
    found = _number(count, "finding") if count else "all are as they were"
    waiting = f"; {_number(tally.waiting, 'conversation')} waiting to be sealed" if tally and tally.waiting else ""
    return f"Looked at {_joined(looked_at)}: {found}{waiting}."


def _joined(things: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(things[:-1]), things[-1]]))


def _number(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
