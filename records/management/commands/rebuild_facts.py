"""`manage.py rebuild_facts`: reckon the sums of all conversations anew."""

from typing import Any

from django.core.management.base import BaseCommand

from records.services.facts import count_stale, keep_facts, mark_all_stale


class Command(BaseCommand):
    """Marks every conversation and takes the marks in, beside the worker's job; stopping it loses nothing."""

    help = (
        "Reckon the sums by which the back office lists conversations anew. What is left when this is stopped, the "
        "worker's job takes in."
    )

    def handle(self, **options: Any) -> None:
        """Tell how far it has come."""
        self.stdout.write(f"{mark_all_stale():,} conversations are marked.")
        while left := count_stale():
            self.stdout.write(f"{left:,} marks are left.")
            keep_facts()
        self.stdout.write("All sums are new.")
