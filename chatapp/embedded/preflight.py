"""What must hold before anything is started; each refusal is one sentence that says what to do."""

import errno
import fcntl
import os
import secrets
import socket
import time
from pathlib import Path

_PATIENCE = 40.0  # seconds that the programs of a killed run have to end by themselves


class StartError(Exception):
    """Verbatim cannot start here and now; the message tells a person why and what to do."""


def make_var(var: Path) -> None:
    """Make the state folder and its log folder, for this account alone."""
    try:
        var.mkdir(mode=0o700, parents=True, exist_ok=True)
        (var / "log").mkdir(mode=0o700, exist_ok=True)
        probe = var / "log" / f".probe-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise StartError(
            f"{var} cannot be written ({reason}); make it writable or set VAR_DIR to a folder that is."
        ) from error


def take_lock(var: Path) -> int:
    """Give a file descriptor that holds the state folder for one run: whoever inherits it holds it too.

    A run that was killed leaves programs that end by themselves; they are waited for.
    """
    lock = os.open(var / "run.lock", os.O_RDWR | os.O_CREAT, 0o600)
    deadline = time.monotonic() + _PATIENCE
    told = False
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(lock, 20, 0).decode().strip()
            if holder.isdigit() and _is_alive(int(holder)):
                raise StartError(f"Verbatim already runs from {var} (process {holder}); stop that one first.") from None
            if time.monotonic() > deadline:
                raise StartError(f"Programs of an earlier run still use {var}; end them and start again.") from None
            if not told:
                print("Waiting for the last of an earlier run to end ...", flush=True)
            told = True
            time.sleep(0.2)
        else:
            os.ftruncate(lock, 0)
            os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
            return lock


def check_port(port: int, host: str) -> None:
    """Refuse a port that something listens on, or that this account may not use."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen()
        except OSError as error:
            taken = error.errno == errno.EADDRINUSE
            why = "is in use by another program" if taken else f"cannot be used ({error.strerror})"
            raise StartError(f"Port {port} {why}; choose another one, as in: make run PORT=8001") from error


def keep_secret_key(var: Path) -> str:
    """Give the key of this installation, made at the first start."""
    file = var / "secret_key"
    try:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as made:
            made.write(secrets.token_urlsafe(64) + "\n")
    except FileExistsError:
        pass
    return file.read_text().strip()


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
