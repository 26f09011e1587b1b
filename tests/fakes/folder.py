"""A folder of files that can be taken away: every read and write of storage then fails."""

from __future__ import annotations

from pathlib import Path

from pytest_django import Settings


class FilesFolder:
    """Storage of a test's own, in a folder."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self.path = folder / "files"
        self._away = folder / "files-away"
        backend = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": self.path}}
        settings.STORAGES = settings.STORAGES | {"default": backend}

    def take_away(self) -> None:
        """Put something in the folder's place that holds no files."""
        if self.path.exists():
            self.path.rename(self._away)
        self.path.write_text("no folder")

    def give_back(self) -> None:
        """Have everything there again."""
        self.path.unlink()
        if self._away.exists():
            self._away.rename(self.path)
