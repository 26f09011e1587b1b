"""`manage.py reconcile_files`: do record and storage agree?"""

from argparse import ArgumentParser
from typing import Any

from django.core.management import BaseCommand, CommandError

from conversations.files import storage
from conversations.services.reconciling import find_differences, repair, seems_lost


class Command(BaseCommand):
    help = (
        "Lists files of the record that storage does not hold as they should be, files marked as deleted that are "
        "still there, and objects that no row names. Ends with 1 when there are any, or any are left."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--hours", type=int, default=24, help="leave out objects younger than this (24)")
        parser.add_argument(
            "--repair",
            action="store_true",
            help="mark rows without their object as failed, delete objects without row, finish deletions",
        )

    def handle(self, *args: Any, hours: int, repair: bool, **options: Any) -> None:
        if hours < 0:
            raise CommandError("--hours can be 0 or more.")
        try:
            if repair and seems_lost():
                raise CommandError("Storage holds no file at all; is it the right one? Nothing was repaired.")
            found, left = self._go_through(hours, repair)
        except storage.StorageProblem as problem:
            raise CommandError(f"Storage cannot be asked: {problem}.") from problem
        if not found:
            self.stdout.write("Record and storage agree.")
        elif left:
            raise CommandError(f"Record and storage differ in {found} places; {found - left} of them are repaired.")
        else:
            self.stdout.write(f"Record and storage differed in {found} places; all are repaired.")

    def _go_through(self, hours: int, is_repairing: bool) -> tuple[int, int]:
        """Tell each difference; return how many there are and how many stay."""
        found = left = 0
        for difference in find_differences(hours=hours):
            is_repaired = is_repairing and repair(difference=difference)
            found, left = found + 1, left + (not is_repaired)
            who = difference.attachment_id or "-"
            mark = " (repaired)" if is_repaired else ""
            self.stdout.write(f"{difference.kind:<10} {who} {difference.key} {difference.detail}{mark}")
        return found, left
