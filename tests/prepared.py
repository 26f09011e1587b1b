"""Databases that are made once in a run and copied from then on: migrations take seconds, a copy a tenth of one."""

import contextlib
import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

ROOT = Path(__file__).resolve().parents[1]
MIGRATED = "migrated"


def migrated(server: str) -> str:
    """Return the name of a database on a server that is migrated and empty; whoever comes first makes it."""
    with once(server, MIGRATED, template="template1") as make:
        if make:
            environment = os.environ | {"DATABASE_URL": make}
            command = [sys.executable, "manage.py", "migrate", "-v0"]
            subprocess.run(command, cwd=ROOT, env=environment, check=True)
    return MIGRATED


@contextlib.contextmanager
def once(server: str, name: str, *, template: str) -> Iterator[str]:
    """Give the address of a new copy of `template` to finish, or nothing where another test process has made it.

    The others wait meanwhile. It takes its name when the block has ended well.
    """
    with alone(name), psycopg.connect(server, autocommit=True) as connection:
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
            yield ""
            return
        half_made = f"{name}_half_made"
        copy(connection, half_made, template=template)
        yield address(server, half_made)
        connection.execute(
            sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(half_made), sql.Identifier(name))
        )


@contextlib.contextmanager
def alone(name: str) -> Iterator[None]:
    """Have the test processes of a run take turns with what has that name."""
    with (Path(os.environ["VAR_DIR"]).parent / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def copy(connection: psycopg.Connection, name: str, *, template: str) -> None:
    """Make a database as a copy of another one, to which nobody may be connected."""
    connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template)))


def drop(connection: psycopg.Connection, name: str) -> None:
    """Remove a database, whoever of ours is still connected to it.

    Not WITH (FORCE): that may not end the server's own autovacuum, which a plain DROP DATABASE tells to leave.
    """
    connection.execute(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"  # waits so many milliseconds for each
        " WHERE datname = %s AND usename = current_user AND pid <> pg_backend_pid()",
        [name],
    )
    connection.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(name)))


def address(server: str, name: str) -> str:
    """Return the address of another database of a server."""
    return urlsplit(server)._replace(path=f"/{name}").geturl()
