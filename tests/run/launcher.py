"""Runs `make run` of a copy of this checkout, and knows every process that came of it."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import psutil

from chatapp.embedded.ports import find_free_port

CHECKOUT = Path(__file__).resolve().parents[2]
_OWN = ("VAR_DIR", "SECRET_KEY", "DATABASE_URL", "DJANGO_SETTINGS_MODULE", "MAKEFLAGS", "MAKELEVEL")


def copy_checkout(folder: Path) -> Path:
    """Copy what git tracks or would; the virtual environment is shared, because a test installs nothing."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        if (CHECKOUT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(CHECKOUT / name, folder / name)
    (folder / ".venv").symlink_to(Path(sys.prefix), target_is_directory=True)
    return folder


class Launcher:
    """`make run` in `folder`, in a session of its own as a terminal would give it."""

    def __init__(self, folder: Path, *, port: int | None = None, log: str = "terminal.txt", **variables: str) -> None:
        self.folder = folder
        self.port = port or find_free_port()
        self.first_output = ""
        environment = {name: value for name, value in os.environ.items() if name not in _OWN}
        self._environment = environment | {"PORT": str(self.port)} | variables
        self._log = folder / log
        self._make: subprocess.Popen[bytes] | None = None
        self._seen: set[psutil.Process] = set()

    @property
    def output(self) -> str:
        """Everything that it printed."""
        return self._log.read_text()

    def start(self) -> "Launcher":
        """Start it; does not wait."""
        with self._log.open("wb") as log:
            self._make = subprocess.Popen(
                ["make", "run"],
                cwd=self.folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return self

    def wait_served(self) -> "Launcher":
        """Wait until it says where it is served."""
        wait_until(lambda: "Ctrl-C" in self.output or self.has_ended, 90)
        assert "Ctrl-C" in self.output, self.output
        self.first_output = self.first_output or self.output
        self.processes()
        return self

    def wait_ended(self) -> int:
        """Wait for the end of make and of everything that came of it; give make's exit status."""
        assert self._make is not None
        status = self._make.wait(40)
        wait_until(lambda: not self.survivors(), 40)
        return status

    def refusal(self) -> str:
        """The one sentence of a start that fails; make adds a line of its own."""
        assert self.wait_ended() != 0
        said = [line for line in self.output.splitlines() if not line.startswith("make")]
        assert len(said) == 1, self.output
        return said[0]

    @property
    def has_ended(self) -> bool:
        """Whether make is gone."""
        return self._make is None or self._make.poll() is not None

    def processes(self) -> list[psutil.Process]:
        """Every process below make now."""
        assert self._make is not None
        below = psutil.Process(self._make.pid).children(recursive=True)
        self._seen.update(below)
        return list(below)

    def find(self, words: str) -> int:
        """The process id of the first program below make whose command line holds `words`; 0 where there is none."""
        for process in self.processes():
            with contextlib.suppress(psutil.NoSuchProcess):  # also one that only waits to be reaped
                if words in " ".join(process.cmdline()):
                    return int(process.pid)
        return 0

    def survivors(self) -> list[psutil.Process]:
        """Those of the processes seen so far that still live."""
        return [process for process in self._seen if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]

    def interrupt(self) -> None:
        """What Ctrl-C in a terminal does: SIGINT for every process of the foreground group."""
        assert self._make is not None
        self.processes()
        os.killpg(self._make.pid, signal.SIGINT)

    def get(self, path: str) -> tuple[int, str]:
        """Ask the served pages; status 0 where nobody answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def close(self) -> None:
        """End it in whatever state it is."""
        if not self.has_ended:
            self.interrupt()
            self.wait_ended()
        for process in self.survivors():
            process.kill()


def wait_until(holds: Callable[[], object], seconds: float) -> None:
    """Wait until `holds()` is true; AssertionError after so many seconds."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.1)
