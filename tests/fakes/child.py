"""A fake server as a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

ROOT = Path(__file__).resolve().parents[2]
STOP_SECONDS = 10


class FakeServer:
    """Starts a server and ends it, and nothing else, when the block is left. It also ends when this process dies."""

    name = "server"

    def __init__(self, module: str, options: Sequence[str] = ()) -> None:
        self._command = [sys.executable, "-m", module, *options]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        """Start the process and wait for its port."""
        pipe = subprocess.PIPE
        process = self._process = subprocess.Popen(self._command, cwd=ROOT, stdin=pipe, stdout=pipe)
        first_line = self.greet(process)
        if not first_line:
            self.stop()
            raise RuntimeError(f"The {self.name} ended before it told its port; its error is above")
        self.note(first_line)
        return self

    def greet(self, process: subprocess.Popen[bytes]) -> bytes:
        """Say what it needs to begin and return the line in which it tells its port."""
        assert process.stdout is not None
        return process.stdout.readline()

    def note(self, first_line: bytes) -> None:
        """Keep what it told."""
        raise NotImplementedError

    def stop(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
