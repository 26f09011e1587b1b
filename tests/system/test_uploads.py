"""Uploads to the application as it runs: those that never end or are much too large, and what they leave behind."""

from __future__ import annotations

import contextlib
import os
import socket
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.process import FakeOpenAI
from tests.system.client import Client
from tests.system.conftest import running_site
from tests.system.site import Site, wait_for

CSRF = "c" * 32
BOUNDARY = "----boundary"


@pytest.fixture(scope="module")
def small_site(openai: FakeOpenAI, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site that takes files of 1 MB, two at a time: 12 MB in one request. Its temporary files lie apart."""
    folder = tmp_path_factory.mktemp("temporary")
    limits = {"MAX_FILE_MEGABYTES": "1", "MAX_FILES_PER_MESSAGE": "2", "TMPDIR": str(folder)}
    with running_site(os.environ["DATABASE_URL"], openai, limits) as site:
        yield site


def temporary(site: Site) -> int:
    """How many temporary files there are: with a name in their folder, or open without one in a web process."""
    folder = Path(site.extra["TMPDIR"])
    children = Path(f"/proc/{site.pid('web')}/task/{site.pid('web')}/children").read_text().split()
    names = {str(path) for path in folder.rglob("*") if path.is_file()}
    for pid in children:
        for link in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):  # it was closed meanwhile
                names |= {f"{pid} {link.name} {link.readlink()}"} if str(folder) in str(link.readlink()) else set()
    return len([name for name in names if "wgunicorn" not in name])  # by that one gunicorn tells that it lives


def connect(site: Site, person: Client, path: str, *headers: str) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", site.port), timeout=20)
    lines = [
        f"POST {path} HTTP/1.1",
        f"Host: 127.0.0.1:{site.port}",
        f"Origin: {site.url}",
        f"Cookie: session={person.session_key}; csrf={CSRF}",
        f"X-CSRFToken: {CSRF}",
        f"Content-Type: multipart/form-data; boundary={BOUNDARY}",
        *headers,
    ]
    connection.sendall("\r\n".join([*lines, "", ""]).encode())
    return connection


def part(name: str, data: bytes) -> bytes:
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
    return head.encode() + data + f"\r\n--{BOUNDARY}--\r\n".encode()


def answer(connection: socket.socket) -> str:
    """Read all that comes until the other side closes."""
    received = b""
    try:
        while piece := connection.recv(65536):
            received += piece
    except OSError:
        pass
    return received.decode()


def rows(site: Site) -> int:
    return int(site.sql("SELECT count(*) FROM conversations_attachment")[0][0])


def test_f15_an_upload_that_never_ends_is_cut_off_and_leaves_nothing(small_site: Site) -> None:
    person = small_site.sign_in("endless")
    wait_for(lambda: not temporary(small_site), what="a quiet beginning")
    before = rows(small_site)
    connection = connect(small_site, person, "/attachments/", "Transfer-Encoding: chunked")
    sent, most = 0, 0
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    try:
        while sent < 500_000_000:
            connection.sendall(chunk)
            sent += 0x10000
            most = max(most, temporary(small_site)) if sent % 2**20 == 0 else most
    except OSError:
        pass
    assert sent < 40_000_000, "it was read far beyond the limit"
    connection.close()
    wait_for(lambda: not temporary(small_site), what="the end of the temporary files")
    assert most, "the test looked in the wrong place"
    assert rows(small_site) == before
    assert person.request("GET", "/conversations/")[0] == 200


def test_f15_a_length_beyond_the_limit_is_refused_at_once_in_a_sentence(small_site: Site) -> None:
    person = small_site.sign_in("large")
    connection = connect(small_site, person, "/attachments/", "Content-Length: 900000000")
    told = answer(connection)
    assert told.startswith("HTTP/1.1 413")
    assert "This is too large: one request may carry 12 MB" in told


@pytest.mark.parametrize("size", [0, 1_000_001])
def test_f15_nothing_and_one_byte_too_many_are_refused(small_site: Site, size: int) -> None:
    person = small_site.sign_in("edge")
    body = part("a.csv", b"1" * size)
    connection = connect(small_site, person, "/attachments/", f"Content-Length: {len(body)}", "Connection: close")
    connection.sendall(body)
    assert answer(connection).startswith("HTTP/1.1 422")
    wait_for(lambda: not temporary(small_site), what="the end of the temporary files")


def test_f15_exactly_the_limit_is_taken_and_its_temporary_files_go(small_site: Site) -> None:
    person = small_site.sign_in("exact")
    body = part("a.csv", b"1\n" * 500_000)
    connection = connect(small_site, person, "/attachments/", f"Content-Length: {len(body)}", "Connection: close")
    connection.sendall(body)
    assert answer(connection).startswith("HTTP/1.1 200")
    wait_for(lambda: not temporary(small_site), what="the end of the temporary files")


def test_f15_who_leaves_in_the_middle_leaves_nothing(small_site: Site) -> None:
    person = small_site.sign_in("leaver")
    before = rows(small_site)
    for _ in range(5):
        connection = connect(small_site, person, "/attachments/", "Content-Length: 9000000")
        connection.sendall(part("a.csv", b"1\n" * 2_000_000)[:4_000_000])
        wait_for(lambda: temporary(small_site), what="a temporary file")
        connection.close()
        wait_for(lambda: not temporary(small_site), what="the end of the temporary files")
    assert rows(small_site) == before


def test_f15_slow_uploads_keep_nobody_else_waiting(small_site: Site) -> None:
    person = small_site.sign_in("slow")
    body = part("a.csv", b"1\n" * 1000)
    connections = [
        connect(small_site, person, "/attachments/", f"Content-Length: {len(body)}", "Connection: close")
        for _ in range(100)
    ]
    for number, connection in enumerate(connections):
        connection.sendall(body[: 200 + number])
    began = time.monotonic()
    assert person.request("GET", "/conversations/")[0] == 200
    assert time.monotonic() - began < 15
    for connection in connections[1:]:
        connection.close()
    connections[0].sendall(body[200:])
    assert answer(connections[0]).startswith("HTTP/1.1 200")


def test_c10_a_form_of_files_goes_through_whole_processes(small_site: Site) -> None:
    person = small_site.sign_in("scriptless")
    fields = {"prompt": "Count", "assistant": "general", "client_token": str(uuid.uuid4()), "csrfmiddlewaretoken": CSRF}
    small_site.sql("UPDATE conversations_languagemodel SET accepts_images = true, accepts_files = true")
    body = b"".join(
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    )
    body += part("a.csv", b"1\n").replace(b'name="file"', b'name="files"')
    connection = connect(small_site, person, "/conversations/", f"Content-Length: {len(body)}", "Connection: close")
    connection.sendall(body)
    assert answer(connection).startswith("HTTP/1.1 303")
    assert small_site.sql("SELECT count(*) FROM conversations_attachment WHERE message_id IS NOT NULL") == [(1,)]
