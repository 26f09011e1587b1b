"""`manage.py rebuild_usage`: reckon the sums of use of all days anew."""

from typing import Any

from django.core.management.base import BaseCommand

from records.services.usage_facts import find_marked_days, mark_all_days, reckon_day

REPORTED = 100  # days between two lines


class Command(BaseCommand):
    """Marks every day and reckons them, beside the worker's job; stopping it loses nothing."""

    help = (
        "Reckon the sums of use of all days anew, after a change of TIME_ZONE for instance. What was removed by "
        "retention keeps its part. What is left when this is stopped, the worker's job takes in."
    )

    def handle(self, **options: Any) -> None:
        """Tell how far it has come."""
        self.stdout.write(f"{mark_all_days():,} days are marked.")
        days = find_marked_days()
        differed = 0
        for number, day in enumerate(days, start=1):
            differed += bool(reckon_day(day=day))
            if number % REPORTED == 0:
                self.stdout.write(f"{number:,} of {len(days):,} days are reckoned, back to {day}.")
        self.stdout.write(f"All {len(days):,} days are reckoned; {differed:,} of them came to something else.")
