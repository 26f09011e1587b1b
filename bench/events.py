"""`python -m bench.events`: the feed read to its end over HTTP while others write, none missed and none twice.

Most events are there at first; the rest is written meanwhile, by several processes, as services write: with work before
and after the number is given, and some transactions rolled back.
"""

import argparse
import http.client
import json
import os
import random
import secrets
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import django

from bench.history import median, p95
from chatapp.embedded.postgres import Cluster
from tests.fakes.child import ROOT

if TYPE_CHECKING:
    from tests.system.site import Site

_EVENTS = """
INSERT INTO conversations_event (seq, kind, conversation_id, owner_id, data, created_at)
SELECT seq, CASE seq %% 10 WHEN 0 THEN 'conversation.removed' ELSE 'conversation.concluded' END, gen_random_uuid(), %s,
    jsonb_build_object('conversation', gen_random_uuid(), 'owner', '1', 'concluded_at', '2026-11-22T09:30:01.000000Z',
        'document', jsonb_build_object('format', 1, 'size', 18231, 'sha256', md5(seq::text) || md5(seq::text))),
    now() - (%s - seq) * interval '1 second'
FROM generate_series(1, %s) AS seq
"""


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.events", description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000, help="that are there at first")
    parser.add_argument("--written", type=int, default=20_000, help="meanwhile, in all")
    parser.add_argument("--writers", type=int, default=4, help="processes that write")
    parser.add_argument("--limit", type=int, default=1000, help="events of a stretch")
    parser.add_argument("--directory", type=Path, help="of the database; a passing one where it is not given")
    parser.add_argument("--as-writer", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatapp.settings")
    if arguments.as_writer is not None:
        _write(arguments.as_writer)
        return
    with tempfile.TemporaryDirectory(prefix="verbatim-events-") as folder:
        cluster = Cluster(arguments.directory or Path(folder) / "database", durable=True)
        cluster.start()
        try:
            _measure(arguments, cluster.url, Path(folder))
        finally:
            cluster.stop()


def _measure(arguments: argparse.Namespace, url: str, folder: Path) -> None:
    os.environ |= {
        "DATABASE_URL": url,
        "SECRET_KEY": secrets.token_urlsafe(48),
        "VAR_DIR": str(folder),
        "API_REQUESTS_PER_MINUTE": "1000000",
        "PUBLIC_URL": "",
    }
    django.setup()
    from tests.system.site import Site

    site = Site(url, "http://127.0.0.1:9/v1", folder)
    site.prepare()
    token = _fill(arguments.events)
    site.start_web()
    try:
        command = [sys.executable, "-m", "bench.events", "--as-writer", str(arguments.written // arguments.writers)]
        began = time.perf_counter()
        writers = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) for _ in range(arguments.writers)]
        seen, times, while_written = _read(site, token, arguments.limit, writers)
        seconds = time.perf_counter() - began
        committed = sum(int(writer.communicate()[0]) for writer in writers)
    finally:
        site.stop()
    _judge(seen, arguments.events + committed)
    print(
        f"{len(seen):,} events in {len(times):,} stretches of up to {arguments.limit:,}, {committed:,} of them written "
        f"meanwhile by {arguments.writers} processes: none missed, none twice, in order. {seconds:.0f} s in all; a "
        f"full stretch {median(times):.0f} ms in the middle, {p95(times):.0f} ms at the 95th of 100; "
        f"{while_written:,} were read before the writers had ended."
    )


def _fill(events: int) -> str:
    """Write what is there at first; return the secret of a token that may follow everything."""
    from django.contrib.auth import get_user_model
    from django.db import connection

    from accounts.tokens import make_token

    reader = get_user_model().objects.get(username="admin")
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE conversations_event")
        cursor.execute(_EVENTS, [reader.pk, events, events])
        cursor.execute("ANALYZE conversations_event")
    _, secret = make_token(owner=reader, name=f"Bench {time.time()}", scopes=["events", "read_all"], created_by=reader)
    connection.close()
    return secret


def _read(
    site: "Site", token: str, limit: int, writers: list[subprocess.Popen[bytes]]
) -> tuple[list[int], list[float], int]:
    """Read from the first event on until the writers have ended and nothing is left, as a program does."""
    seen: list[int] = []
    ids: set[str] = set()
    times: list[float] = []
    while_written = 0
    connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=60)
    while True:
        is_over = all(writer.poll() is not None for writer in writers)
        began = time.perf_counter()
        after = seen[-1] if seen else 0
        address = f"/api/v1/events/?everyone=true&after={after}&limit={limit}&wait=1"
        connection.request("GET", address, headers={"Authorization": f"Bearer {token}"})
        response = connection.getresponse()
        stretch = json.loads(response.read())
        if response.status != 200:
            raise SystemExit(f"The feed answered {response.status}: {stretch}")
        if len(stretch["results"]) == limit:
            times.append(time.perf_counter() - began)
        seen += [event["seq"] for event in stretch["results"]]
        ids.update(event["id"] for event in stretch["results"])
        while_written = while_written if is_over else len(seen)
        if is_over and not stretch["results"]:
            break
    if len(ids) != len(seen):
        raise SystemExit(f"{len(seen) - len(ids):,} ids were told twice.")
    return seen, times, while_written


def _judge(seen: list[int], count: int) -> None:
    if seen != list(range(1, count + 1)):
        missed = len(set(range(1, count + 1)) - set(seen))
        raise SystemExit(f"{missed:,} events were missed, {len(seen) - len(set(seen)):,} came twice.")


def _write(count: int) -> None:
    """Write so many events, each in a transaction of its own, and tell how many were committed."""
    django.setup()
    from django.contrib.auth import get_user_model
    from django.db import transaction

    from conversations.ids import uuid7
    from conversations.models import Conversation
    from conversations.services.events import emit

    owner_id = get_user_model().objects.get(username="admin").pk
    committed = 0
    for _ in range(count):
        conversation = Conversation(pk=uuid7(), owner_id=owner_id)
        with transaction.atomic():
            time.sleep(random.uniform(0, 0.002))  # the work that the event tells of
            emit(kind="conversation.removed", conversation=conversation, data={"conversation": str(conversation.pk)})
            if random.random() < 0.05:
                transaction.set_rollback(True)
            else:
                committed += 1
    print(committed)


if __name__ == "__main__":
    main()
