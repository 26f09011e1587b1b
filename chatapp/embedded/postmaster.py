"""Finds the live server of a data folder by what it wrote down itself."""

import subprocess
from pathlib import Path


def find_postmaster(data: Path) -> int | None:
    """Give the process id of the live server of that data folder, or None.

    A number in postmaster.pid that another program got since is not it.
    """
    try:
        pid = int((data / "postmaster.pid").read_text().splitlines()[0])
    except (FileNotFoundError, IndexError, ValueError):
        return None
    return pid if f"-D {data} " in _command_line(pid) else None


def remove_foreign_pid_file(data: Path) -> None:
    """Remove a stale postmaster.pid whose number now belongs to another program: the server would refuse to start.

    Any other stale file stays: from it the server finds the shared memory that a killed one's last backends still hold.
    """
    file = data / "postmaster.pid"
    if file.exists() and find_postmaster(data) is None and _command_line(int(file.read_text().split(maxsplit=1)[0])):
        file.unlink(missing_ok=True)


def _command_line(pid: int) -> str:
    """The command line of a live process; empty for one that is gone, or that is only waiting to be reaped."""
    proc = Path("/proc") / str(pid)
    if Path("/proc/self").exists():
        try:
            return (proc / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="surrogateescape")
        except (FileNotFoundError, ProcessLookupError):
            return ""
    return subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
