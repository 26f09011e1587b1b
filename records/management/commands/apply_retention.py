"""`manage.py apply_retention`: carry out the retention policies now, or count what they would remove."""

from argparse import ArgumentParser
from typing import Any

from django.core.management import BaseCommand, CommandError

from records.models import RetentionRun
from records.services.retention import begin_dry_run, begin_run
from records.services.runs import carry_out

_COUNTED = {
    "conversations": "conversations",
    "messages": "messages",
    "generations": "model calls",
    "attachments": "files",
    "attachment_bytes": "bytes of files",
}


class Command(BaseCommand):
    help = (
        "Removes the conversations that the retention policies let go, or goes on with a run that was cut off, and "
        "prints what came of it. With --dry-run it removes nothing and prints what would go. Ends with 1 where "
        "something keeps the run from its end; the worker, or this command, goes on with it later."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="count what would be removed, and remove nothing")

    def handle(self, *args: Any, dry_run: bool, **options: Any) -> None:
        run = begin_dry_run() if dry_run else begin_run()
        if run is None:
            self.stdout.write("No retention policy is enabled, so nothing was removed.")
            return
        has_ended = carry_out(run_id=run.pk)
        run.refresh_from_db()
        self.stdout.write(_told(run))
        if not has_ended or run.problem:
            raise CommandError(run.problem or "The run was interrupted.")


def _told(run: RetentionRun) -> str:
    counts = run.counts
    removed = ", ".join(f"{counts.get(name, 0):,} {words}" for name, words in _COUNTED.items())
    kept = f"{counts.get('held', 0):,} kept by a hold, {counts.get('waiting', 0):,} waiting"
    return f"{'Would remove' if run.is_dry else 'Removed'}: {removed}; {kept}."
