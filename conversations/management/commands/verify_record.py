"""`manage.py verify_record`: is the record still what was sealed, and do files still have their hashes?"""

import datetime
from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management import BaseCommand, CommandError
from django.utils import timezone

from conversations.files import storage
from conversations.models import Conversation
from conversations.services.verifying import Scope, Tally, verify


class Command(BaseCommand):
    help = (
        "Builds the document of each sealed conversation anew from its rows and compares it, and the one in storage, "
        "with the hash that was noted; reads every file and compares it with its hash; lists what was concluded and is "
        "not sealed. Prints a line for each finding and ends with 1 when there are any."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--conversation", metavar="ID", type=UUID, help="look at this conversation and its files")
        parser.add_argument(
            "--since",
            metavar="DATE",
            type=datetime.date.fromisoformat,
            help="look at what was sealed, and at files that came, on this day or later (2026-01-31)",
        )

    def handle(self, *args: Any, conversation: UUID | None, since: datetime.date | None, **options: Any) -> None:
        if conversation and not Conversation.objects.filter(pk=conversation).exists():
            raise CommandError(f"There is no conversation {conversation}.")
        midnight = timezone.make_aware(datetime.datetime.combine(since, datetime.time())) if since else None
        tally, count = Tally(), 0
        try:
            for finding in verify(Scope(conversation, midnight), tally):
                count += 1
                self.stdout.write(str(finding))
        except storage.StorageProblem as problem:
            raise CommandError(f"Storage cannot be asked: {problem}. {_summary(tally, count)}") from problem
        if count:
            raise CommandError(_summary(tally, count))
        self.stdout.write(_summary(tally, count))


def _summary(tally: Tally, count: int) -> str:
    looked_at = f"Looked at {_number(tally.documents, 'sealed document')} and {_number(tally.files, 'file')}: "
    found = _number(count, "finding") if count else "all are as they were"
    waiting = f"; {_number(tally.waiting, 'conversation')} waiting to be sealed" if tally.waiting else ""
    return f"{looked_at}{found}{waiting}."


def _number(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
