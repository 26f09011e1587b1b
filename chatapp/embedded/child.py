"""Turns into another program: as whom it runs, and what ends it when its parent is gone.

python -m chatapp.embedded.child [--owner-of PATH] [--end-with-parent INT] [--in FOLDER] -- PROGRAM ARGUMENT...
"""

import argparse
import ctypes
import os
import pwd
import signal
import stat
import sys
from pathlib import Path

# Accounts that own nothing of value on usual systems, the most fitting first.
_CANDIDATES = ("postgres", "nobody", "daemon")
_PR_SET_PDEATHSIG = 1


def choose_account() -> pwd.struct_passwd | None:
    """Give the account for a program that refuses to run as root, or None when this process is an ordinary user's."""
    if os.geteuid() != 0:
        return None
    for name in _CANDIDATES:
        try:
            account = pwd.getpwnam(name)
        except KeyError:
            continue
        if account.pw_uid != 0:
            return account
    raise RuntimeError(f"PostgreSQL refuses to run as root, and none of the accounts {', '.join(_CANDIDATES)} exists.")


def account_of(path: Path) -> pwd.struct_passwd | None:
    """Give the account that `path` belongs to, or None when this process is an ordinary user's."""
    if os.geteuid() != 0:
        return None
    owner = path.stat().st_uid
    return choose_account() if owner == 0 else pwd.getpwuid(owner)


def let_through(path: Path) -> None:
    """Let every account pass through the folders above `path`, without letting it list or read them (o+x, no more)."""
    for folder in path.resolve().parents:
        mode = stat.S_IMODE(folder.stat().st_mode)
        if not mode & stat.S_IXOTH:
            folder.chmod(mode | stat.S_IXOTH)


def _become(account: pwd.struct_passwd) -> None:
    os.setgroups([])
    os.setgid(account.pw_gid)
    os.setuid(account.pw_uid)
    os.environ["HOME"] = "/"
    os.chdir("/")


def _end_with_parent(sign: signal.Signals, parent: int) -> None:
    """Have the kernel send `sign` when the parent is gone, even by a kill -9; Linux only, elsewhere this does nothing.

    Linux manual, "PR_SET_PDEATHSIG": a change of account clears it, execve keeps it, and it fires when the parent's
    *thread* ends, so only a process started by a main thread may use it.
    """
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(sign), 0, 0, 0)
    if os.getppid() != parent:  # it went before the call
        raise SystemExit(1)


def main() -> None:
    """Turn this process into the program that its command line names."""
    parent = os.getppid()
    parser = argparse.ArgumentParser(prog="python -m chatapp.embedded.child")
    parser.add_argument("--owner-of", type=Path, help="run as the account that owns this path, when started by root")
    parser.add_argument(
        "--end-with-parent", choices=("INT", "TERM", "KILL"), help="the signal to get when the parent is gone"
    )
    parser.add_argument("--in", dest="folder", type=Path, help="the folder to run in")
    parser.add_argument("command", nargs="+")
    options = parser.parse_args()
    account = account_of(options.owner_of) if options.owner_of else None
    if account is not None:
        _become(account)
    if options.end_with_parent:
        _end_with_parent(signal.Signals[f"SIG{options.end_with_parent}"], parent)
    if options.folder:
        os.chdir(options.folder)
    os.execvp(options.command[0], options.command)


if __name__ == "__main__":
    main()
