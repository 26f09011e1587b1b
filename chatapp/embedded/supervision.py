"""Keeps programs running through supervisord: each is started again, with growing pauses, whenever it ends."""

import contextlib
import http.client
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import xmlrpc.client
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from chatapp.embedded.preflight import StartError

_CHECKOUT = Path(__file__).resolve().parents[2]
_GROUP = "verbatim"


@dataclass(frozen=True, slots=True)
class Program:
    """One program to keep running. `is_base`: the others need it, so it is stopped after all of them."""

    name: str
    command: Sequence[str]
    stop_signal: str = "TERM"
    stop_seconds: int = 25
    is_base: bool = False

    @property
    def address(self) -> str:
        """Its name for supervisord."""
        return self.name if self.is_base else f"{_GROUP}:{self.name}"


class Supervisor:
    """A supervisord with its programs. Used as a context manager, it leaves no process behind.

    It runs in a session of its own, so that a terminal's Ctrl-C or hang-up reaches the launcher alone, which then stops
    everything in order. `kept_fd` stays open in supervisord, and in it alone.
    """

    def __init__(self, var: Path, programs: Sequence[Program], *, environment: Mapping[str, str], kept_fd: int) -> None:
        self.var = var
        self.programs = programs
        self._link = var / "control"
        self._remove_folder()
        self._folder = Path(tempfile.mkdtemp(prefix="verbatim-"))  # a socket's path has at most some 100 bytes
        self._link.symlink_to(self._folder)
        self._socket = self._folder / "socket"
        config = var / "supervisord.conf"
        config.write_text(self._config())
        daemon = [sys.executable, "-m", "supervisor.supervisord", "--nodaemon", "--configuration", str(config)]
        log_folder = var / "log"
        with (log_folder / "supervisord.log").open("ab") as log:
            self._process = subprocess.Popen(
                [*tied("TERM", cwd=log_folder), *daemon],
                cwd=_CHECKOUT,
                env={**environment, **self._commands()},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                pass_fds=(kept_fd,),
            )

    def __enter__(self) -> "Supervisor":
        return self

    def __exit__(self, *_: object) -> None:
        for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(sign, signal.SIG_IGN)  # a second Ctrl-C must not cut the orderly end short
        if self._process.poll() is None:
            self._process.terminate()
        self._process.wait()
        self._remove_folder()

    def _remove_folder(self) -> None:
        """Remove the folder of the socket; one that a killed run left is found by its link in the state folder."""
        if self._link.is_symlink():
            shutil.rmtree(self._link.readlink(), ignore_errors=True)
            self._link.unlink()

    @property
    def is_running(self) -> bool:
        """Whether supervisord itself still lives."""
        return self._process.poll() is None

    def start(self, program: Program) -> None:
        """Have `program` started, and started again whenever it ends."""
        deadline = time.monotonic() + 20
        while True:
            try:
                self._rpc().supervisor.startProcess(program.address, False)
            except (OSError, http.client.HTTPException):
                if not self.is_running or time.monotonic() > deadline:
                    raise StartError(
                        f"The supervisor does not run; its log says:\n{self.log_end('supervisord')}"
                    ) from None
                time.sleep(0.05)
            else:
                return

    def failing(self) -> list[Program]:
        """Give the programs that ended soon after their last start."""
        with contextlib.suppress(OSError, http.client.HTTPException):
            states = cast(list[dict[str, Any]], self._rpc().supervisor.getAllProcessInfo())
            failing = {state["name"] for state in states if state["statename"] in ("BACKOFF", "FATAL")}
            return [program for program in self.programs if program.name in failing]
        return []

    def log_end(self, name: str, lines: int = 12) -> str:
        """Give the last lines of a program's log."""
        file = self.var / "log" / f"{name}.log"
        text = file.read_text(errors="replace") if file.exists() else ""
        return "\n".join(f"    {line}" for line in text.splitlines()[-lines:])

    def _rpc(self) -> xmlrpc.client.ServerProxy:
        return xmlrpc.client.ServerProxy("http://supervisor/RPC2", transport=_UnixTransport(self._socket))

    def _commands(self) -> dict[str, str]:
        """Paths go by environment: in the file a `#` after a blank would start a comment, and a `%` a placeholder."""
        named = {f"SUPERVISED_{program.name}": shlex.join(program.command) for program in self.programs}
        return {**named, "SUPERVISED_IN": str(_CHECKOUT)}

    def _config(self) -> str:
        sections = [
            "[supervisord]",
            *([f"user = {os.geteuid()}"] if os.geteuid() == 0 else []),
            "logfile = supervisord.log",
            "logfile_maxbytes = 2MB",
            "logfile_backups = 1",
            "silent = true",
            "umask = 077",
            f"pidfile = {self._folder / 'pid'}",
            "[unix_http_server]",
            f"file = {self._socket}",
            "chmod = 0700",
            "[rpcinterface:supervisor]",
            "supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface",
            # One group stops its programs at once; groups stop one after another, the highest priority first.
            f"[group:{_GROUP}]",
            "programs = " + ",".join(program.name for program in self.programs if not program.is_base),
            "priority = 100",
        ]
        for program in self.programs:
            sections += [
                f"[program:{program.name}]",
                f"command = %(ENV_SUPERVISED_{program.name})s",
                "directory = %(ENV_SUPERVISED_IN)s",
                "priority = 1",
                "autostart = false",
                "autorestart = true",
                "startsecs = 3",
                "startretries = 100000",
                f"stopsignal = {program.stop_signal}",
                f"stopwaitsecs = {program.stop_seconds}",
                "killasgroup = true",
                "redirect_stderr = true",
                f"stdout_logfile = {program.name}.log",
                "stdout_logfile_maxbytes = 5MB",
                "stdout_logfile_backups = 2",
            ]
        return "\n".join(sections) + "\n"


def tied(sign: str, *, cwd: Path | None = None) -> list[str]:
    """Give the words before a command that make it get `sign` when the process that started it is gone."""
    where = ["--in", str(cwd)] if cwd else []
    return [sys.executable, "-m", "chatapp.embedded.child", "--end-with-parent", sign, *where, "--"]


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("supervisor", timeout=10)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


class _UnixTransport(xmlrpc.client.Transport):
    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def make_connection(self, host: object) -> http.client.HTTPConnection:
        return _UnixConnection(self._path)
