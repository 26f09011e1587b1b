"""A folder of files that tells of every look at it, and can fail at one, as a process does that is killed there."""

from __future__ import annotations

from collections.abc import Callable

from django.core.files.storage import FileSystemStorage


class Killed(BaseException):
    """Stands for kill -9: nobody catches it, and nothing is cleaned up after it."""


class WatchedFiles(FileSystemStorage):
    """Calls `on_look` with a key before anything is done with its file."""

    on_look: Callable[[str], None] | None = None

    def path(self, name: str) -> str:
        if self.on_look is not None:
            self.on_look(name)
        return super().path(name)


class Death:
    """Lets the process die at its look with this number, and stay dead."""

    def __init__(self, at: int) -> None:
        self.left = at
        self.came = False

    def __call__(self, key: str) -> None:
        self.left -= 1
        if self.left <= 0:
            self.came = True
            raise Killed
