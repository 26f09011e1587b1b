"""Exports of the application as it runs: large ones, slow readers, people who leave, a database that goes away."""

from __future__ import annotations

import base64
import contextlib
import csv
import http.client
import io
import json
import os
import socket
import zipfile
from collections.abc import Iterator

import psutil
import psycopg
import pytest
from django.conf import settings
from psycopg import sql

from conversations.ids import uuid7
from tests.fakes.process import FakeOpenAI
from tests.system.client import Client
from tests.system.conftest import running_site
from tests.system.site import Site, wait_for

MESSAGES = 20_000
CHARACTERS = 1_200
FORMATS = ("csv", "jsonl", "md", "zip")
LAST = b"the very last word"
_CONVERSATION = (
    "COPY conversations_conversation (id, owner_id, assistant_id, title, is_title_provisional, state, created_at,"
    " last_activity_at, concluded_by) FROM STDIN"
)
_MESSAGE = (
    "COPY conversations_message (id, conversation_id, owner_id, parent_id, role, status, text, activity, attempt,"
    " error_code, error_text, created_at, search_vector) FROM STDIN"
)
_SHOWN = (
    "UPDATE conversations_conversation SET current_leaf_id = (SELECT max(id::text)::uuid FROM conversations_message"
    " WHERE conversation_id = conversations_conversation.id) WHERE current_leaf_id IS NULL"
)


@pytest.fixture(scope="module")
def large_site(openai: FakeOpenAI) -> Iterator[Site]:
    with running_site(os.environ["DATABASE_URL"], openai) as site:
        # It would be at work when a test ends all sessions of the database, which may not end it.
        for table in ("conversations_conversation", "conversations_message"):
            site.sql(f"ALTER TABLE {table} SET (autovacuum_enabled = false, toast.autovacuum_enabled = false)")
        yield site


def person_with(
    site: Site, name: str, *, conversations: int = 1, messages: int = MESSAGES, characters: int = CHARACTERS
) -> tuple[Client, str]:
    """Sign in a new person with that much on record, which is not searched; return them and one conversation."""
    person = site.sign_in(name)
    owner, assistant = site.sql(
        "SELECT (SELECT id FROM accounts_user WHERE username = %s), (SELECT min(id) FROM conversations_assistant)", name
    )[0]
    moment = "2026-03-01 10:00:00+00"
    ids = [uuid7() for _ in range(conversations)]
    with psycopg.connect(site.database_url) as connection, connection.cursor() as cursor:
        with cursor.copy(_CONVERSATION) as copy:
            for number, pk in enumerate(ids):
                copy.write_row((pk, owner, assistant, f"Number {number}", False, "open", moment, moment, ""))
        with cursor.copy(_MESSAGE) as copy:
            for pk in ids:
                parent = None
                for number in range(messages):
                    said = base64.b64encode(os.urandom(characters * 3 // 4)).decode()  # as long in an archive, nearly
                    text = f"{number} {said}" if number + 1 < messages else LAST.decode()
                    message = uuid7()
                    columns = (message, pk, owner, parent, "user", "completed", text, "", 0, "", "", moment, "")
                    copy.write_row(columns)
                    parent = message
        cursor.execute(_SHOWN)
    return person, str(ids[0])


def memory(site: Site) -> float:
    """Return how many megabytes the web processes hold."""
    parent = psutil.Process(site.pid("web"))
    octets: int = sum(process.memory_info().rss for process in (parent, *parent.children(recursive=True)))
    return octets / 2**20


@contextlib.contextmanager
def asked(site: Site, person: Client, conversation: str, form: str) -> Iterator[http.client.HTTPResponse]:
    """Ask for an export; its bytes wait to be read."""
    connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=60)
    # A browser with room for little, so that what it does not read stays with the server.
    connection.sock = socket.socket()
    connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    connection.sock.connect(("127.0.0.1", site.port))
    try:
        cookie = f"{settings.SESSION_COOKIE_NAME}={person.session_key}"
        connection.request("GET", f"/conversations/{conversation}/export/?format={form}", headers={"Cookie": cookie})
        yield connection.getresponse()
    finally:
        connection.close()


@pytest.fixture(scope="module")
def large(large_site: Site) -> tuple[Client, str]:
    return person_with(large_site, "prolific")


@pytest.mark.timeout(300)
def test_20_000_messages_leave_in_every_format_and_memory_stays_flat(
    large_site: Site, large: tuple[Client, str]
) -> None:
    person, conversation = large
    _, small = person_with(large_site, "brief", messages=400)
    for form in FORMATS:  # what the first export of each kind loads stays
        with asked(large_site, large_site.sign_in("brief"), small, form) as response:
            response.read()
    before, peak = memory(large_site), 0.0
    received: dict[str, bytes] = {}
    for form in FORMATS:
        with asked(large_site, person, conversation, form) as response:
            assert response.status == 200
            pieces = []
            while piece := response.read(2**22):
                pieces.append(piece)
                peak = max(peak, memory(large_site))
            received[form] = b"".join(pieces)
    print({form: len(data) for form, data in received.items()}, f"{before:.0f} MB before, {peak:.0f} at most")
    assert sum(map(len, received.values())) > 80_000_000
    assert peak - before < 40
    csv.field_size_limit(10_000_000)
    assert len(list(csv.reader(io.StringIO(received["csv"].decode("utf-8-sig"), newline="")))) == MESSAGES + 1
    assert received["jsonl"].count(b"\n") == MESSAGES
    assert json.loads(received["jsonl"].rsplit(b"\n", 2)[1])["content"] == LAST.decode()
    assert received["md"].count(b"\n## ") == MESSAGES
    with zipfile.ZipFile(io.BytesIO(received["zip"])) as archive:
        assert archive.read("messages.csv") == received["csv"]


def test_slow_readers_hold_neither_memory_nor_the_database_nor_anybody_up(large_site: Site) -> None:
    # More each than the kernel keeps of a connection for them (4 to 6 MB).
    people = [person_with(large_site, f"slow{number}", messages=800, characters=15_000) for number in range(10)]
    other = large_site.sign_in("quick")
    assert other.request("GET", "/conversations/")[0] == 200
    before = memory(large_site)
    with contextlib.ExitStack() as stack:
        for person, conversation in people:
            for form in ("csv", "zip"):
                response = stack.enter_context(asked(large_site, person, conversation, form))
                assert response.status == 200
                assert response.read(1000)
        held = memory(large_site) - before
        print(f"20 slow readers hold {held:.0f} MB")
        assert held < 20 * 6
        open_now = (
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND (state = 'active' OR xact_start IS NOT NULL) AND query NOT LIKE 'LISTEN%'"
        )
        wait_for(lambda: large_site.sql(open_now)[0][0] == 0, what="a database without work")
        assert other.request("GET", "/conversations/")[0] == 200
        person, conversation = people[0]
        with asked(large_site, person, conversation, "md") as refused:
            assert refused.status == 429
            assert b"2 exports of yours are on their way" in refused.read()
    # They have all left: their work ends, and there is room for their next one.

    def is_free() -> bool:
        with asked(large_site, person, conversation, "jsonl") as response:
            return response.status == 200 and LAST in response.read()

    wait_for(is_free, what="room for another export")


@pytest.mark.parametrize("form", FORMATS)
def test_a_database_that_goes_away_cuts_the_connection(large_site: Site, large: tuple[Client, str], form: str) -> None:
    person, conversation = large
    name = psycopg.conninfo.conninfo_to_dict(large_site.database_url)["dbname"]
    server = psycopg.conninfo.make_conninfo(os.environ["DATABASE_URL"])
    allow = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
    with psycopg.connect(server, autocommit=True) as administrator:
        try:
            with asked(large_site, person, conversation, form) as response:
                assert response.read(10_000)
                administrator.execute(allow.format(sql.Identifier(str(name)), sql.SQL("false")))
                administrator.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
                )
                with pytest.raises((http.client.IncompleteRead, ConnectionError)):
                    response.read()
        finally:
            administrator.execute(allow.format(sql.Identifier(str(name)), sql.SQL("true")))
    wait_for(lambda: person.request("GET", "/conversations/")[0] == 200, what="the site with its database")


def test_everything_of_somebody_with_many_conversations_leaves_with_flat_memory(large_site: Site) -> None:
    person, _ = person_with(large_site, "diligent", conversations=1000, messages=10)
    before = memory(large_site)
    status, body, _ = person.request("POST", "/conversations/export/", {"all": "1", "format": "jsonl"})
    assert (status, body.count("\n")) == (200, 10_000)
    assert memory(large_site) - before < 60
