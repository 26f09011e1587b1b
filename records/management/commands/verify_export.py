"""`manage.py verify_export`: are the parts of an export on disk what its manifest says?"""

from __future__ import annotations

import hashlib
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, CommandError

from records.exporting.checking import NoManifest, check, read_manifest


class Command(BaseCommand):
    help = (
        "Compares the parts of an export, which lie beside its manifest.json, with the sizes and hashes that it tells. "
        "Prints a line for each that differs and ends with 1 when there are any. Asks neither database nor storage."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("manifest", type=Path, help="the export's manifest.json")

    def handle(self, *args: Any, manifest: Path, **options: Any) -> None:
        try:
            count = len(read_manifest(manifest))
            found = 0
            for sentence in check(manifest):
                found += 1
                self.stdout.write(sentence)
        except NoManifest as problem:
            raise CommandError(str(problem)) from problem
        if found:
            raise CommandError(f"{found:,} of {count:,} parts or files are not as the manifest says.")
        self.stdout.write(f"All {count:,} parts are as the manifest says.")
        self.stdout.write(f"SHA-256 of the manifest: {hashlib.sha256(manifest.read_bytes()).hexdigest()}")
