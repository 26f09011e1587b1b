"""`python -m bench.history`: how fast one's history is listed and searched among ten million messages.

The database is made once and kept; it takes half an hour and 35 GB. With --write the figures and the plans go into
docs/performance-history.md.
"""

import argparse
import contextlib
import io
import os
import random
import secrets
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import django
from django.conf import settings

from chatapp.embedded.postgres import Cluster

if TYPE_CHECKING:
    from accounts.models import User

GOAL_MS = 150
_NEUTRAL = (
    "PUBLIC_URL",
    "DEBUG",
    "ALLOWED_HOSTS",
    "CSRF_TRUSTED_ORIGINS",
    "SEARCH_LANGUAGE",
    "AWS_STORAGE_BUCKET_NAME",
)
# While it is loaded nothing of it is worth keeping if the machine fails, and the log would be as large as the data.
_WHILE_LOADING = {
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "8GB",
    "shared_buffers": "1GB",
    "autovacuum": "off",
}


class _LoadingCluster(Cluster):
    def __init__(self, directory: Path) -> None:
        super().__init__(directory, durable=False)
        self._parameters = self._parameters | _WHILE_LOADING


@dataclass
class Case:
    """Something that is measured: `ask` is called with one of `inputs` after the other."""

    name: str
    ask: Callable[[str], object]
    inputs: list[str]
    shows_plan: bool = True
    first_times: list[float] = field(default_factory=list)
    """Of the first call with each input: much of what it reads comes from the disk."""
    times: list[float] = field(default_factory=list)


def median(times: Sequence[float]) -> float:
    """Return the median in milliseconds."""
    return statistics.median(times) * 1000


def p95(times: Sequence[float]) -> float:
    """Return the time in milliseconds that 95 of 100 do not exceed."""
    return sorted(times)[min(len(times) - 1, int(len(times) * 0.95))] * 1000


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.history", description=__doc__)
    parser.add_argument("--directory", type=Path, default=Path("/tmp/verbatim-history"), help="of the database")
    parser.add_argument("--conversations", type=int, default=1_000_000, help="in all; messages are ten times as many")
    parser.add_argument(
        "--rounds", type=int, default=200, help="calls of each case, after one with each of its 50 inputs"
    )
    parser.add_argument("--write", action="store_true", help="put figures and plans into docs/performance-history.md")
    arguments = parser.parse_args()
    with opened(arguments.directory, arguments.conversations):
        from bench import history_report

        cases = measure(arguments.rounds)
        text = history_report.table(cases, goal=GOAL_MS)
        print(text)
        if arguments.write:
            history_report.write(text, cases, page=history_report.PAGE)
        else:
            print(history_report.plans(cases))


def measure(rounds: int) -> list[Case]:
    """Call every case in turn, so that none has the memory of the machine to itself; first once with every input."""
    from bench.history_cases import INPUTS, all_cases

    cases = all_cases(random.Random(1))
    for number in range(-INPUTS, rounds):
        for case in cases:
            given = case.inputs[number % len(case.inputs)]
            began = time.perf_counter()
            case.ask(given)
            (case.times if number >= 0 else case.first_times).append(time.perf_counter() - began)
        if number % INPUTS == 0:
            print(f"round {number} of {rounds}", file=sys.stderr, flush=True)
    return cases


@contextlib.contextmanager
def opened(directory: Path, conversations: int, *, prepare: Callable[[str], None] = lambda _: None) -> Iterator[None]:
    """Run the database, made first where it is not there, with the parameters that `make run` gives it.

    `prepare` is given its address first, while it has the parameters for loading.
    """
    os.environ |= dict.fromkeys(_NEUTRAL, "") | {
        "DJANGO_SETTINGS_MODULE": "chatapp.settings",
        "SECRET_KEY": secrets.token_urlsafe(48),
        "VAR_DIR": str(directory),
    }
    loading = _LoadingCluster(directory)
    loading.start()
    try:
        os.environ["DATABASE_URL"] = loading.url
        django.setup()
        # Without `collectstatic` there is no manifest; pages name the files as they are.
        plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
        settings.STORAGES = settings.STORAGES | {"staticfiles": plain}
        from django.core.management import call_command
        from django.db import connections

        from bench import history_rows

        call_command("migrate", verbosity=0)
        call_command("setup", stdout=io.StringIO())
        if not history_rows.is_loaded(loading.url, conversations=conversations):
            history_rows.load(loading.url, conversations=conversations)
        prepare(loading.url)
        connections.close_all()
    finally:
        loading.stop(timeout=300)
    cluster = Cluster(directory)
    cluster.start()
    try:
        yield
    finally:
        connections.close_all()
        cluster.stop(timeout=300)


def heavy_user() -> "User":
    """Return the person with the most."""
    from accounts.models import User
    from bench.history_rows import HEAVY

    return User.objects.get(username=HEAVY)


if __name__ == "__main__":
    main()
