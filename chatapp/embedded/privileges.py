"""Who a child process runs as, and what ends it when its parent is gone."""

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


def become(account: pwd.struct_passwd) -> None:
    """Turn this process into that account's for good."""
    os.setgroups([])
    os.setgid(account.pw_gid)
    os.setuid(account.pw_uid)
    os.environ["HOME"] = "/"


def die_with_parent(sign: signal.Signals) -> None:
    """Have the kernel send `sign` when the parent is gone, however it went; Linux only, elsewhere this does nothing.

    To be called after `become`, which clears it. Linux manual, "PR_SET_PDEATHSIG": it is kept across execve, and it
    fires when the parent *thread* ends, so only a process started by a main thread may use it.
    """
    if sys.platform != "linux":
        return
    parent = os.getppid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(sign), 0, 0, 0)
    if os.getppid() != parent:  # it went between the fork and the call
        raise SystemExit(1)
