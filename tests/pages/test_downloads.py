"""Files as they leave: whole, in part, as thumbnails, by a signed link, and not at all where something is wrong."""

from __future__ import annotations

import io
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import ProxyHandler, build_opener

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.db import connection
from django.test import AsyncClient
from django.utils import timezone
from PIL import Image
from procrastinate.contrib.django.models import ProcrastinateJob
from pytest_django import Settings

from accounts.models import User
from conversations.files import storage
from conversations.models import Attachment, Conversation, Message
from conversations.services import start_conversation
from tests.factories import PNG, make_assistant, make_file, make_model, make_user, token
from tests.fakes.s3 import FakeS3, use_bucket
from tests.system.site import wait_for

pytestmark = pytest.mark.django_db(transaction=True)  # a download gives its database connection back

LARGE = bytes(range(256)) * 3000  # three chunks
GUARDS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@pytest.fixture(autouse=True)
def folder(settings: Settings, tmp_path: Path) -> Path:
    backend = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": tmp_path / "files"}}
    settings.STORAGES = settings.STORAGES | {"default": backend}
    return tmp_path / "files"


@pytest.fixture
def person(transactional_db: None) -> Iterator[User]:
    yield make_user()
    ProcrastinateJob.objects.all().delete()  # a table that no test case empties


@pytest.fixture
def said(person: User) -> Message:
    make_model()
    answer = start_conversation(owner=person, assistant=make_assistant(), prompt="See", client_token=token())
    assert answer.parent is not None
    return answer.parent


def with_client[Value](person: User | None, use: Callable[[AsyncClient], Awaitable[Value]]) -> Value:
    client = AsyncClient(raise_request_exception=False)
    if person is not None:
        client.force_login(person)
    return async_to_sync(use)(client)


def get(person: User | None, file: Attachment, query: str = "", *, verb: str = "get", **headers: str) -> Any:
    """Ask for a file and read all of it into `body`."""

    async def ask(client: AsyncClient) -> Any:
        address = f"/attachments/{file.pk}/{query}"
        response: Any = await getattr(client, verb)(address, headers=headers)
        if response.streaming:
            response.body = b"".join([chunk async for chunk in response.streaming_content])
        else:
            response.body = response.content
        response.close()
        return response

    return with_client(person, ask)


def text_file(person: User, **fields: Any) -> Attachment:
    return make_file(person, **{"data": LARGE, "name": "count.csv", "content_type": "text/csv"} | fields)


def test_the_owner_gets_every_byte_and_what_says_how_to_treat_them(person: User) -> None:
    file = text_file(person)
    response = get(person, file)
    assert (response.status_code, response.body) == (200, LARGE)
    assert {name: response.headers[name] for name in GUARDS} == GUARDS
    assert response.headers["Content-Length"] == str(len(LARGE))
    assert response.headers["Content-Type"] == "text/csv"
    assert response.headers["Content-Disposition"] == 'attachment; filename="count.csv"'
    assert response.headers["ETag"] == f'"{file.sha256}"'
    assert response.headers["Accept-Ranges"] == "bytes"
    assert "no-store" in response.headers["Cache-Control"]
    assert "private" in response.headers["Cache-Control"]


def test_head_tells_the_same_without_a_byte(person: User) -> None:
    file = text_file(person)
    told, whole = get(person, file, verb="head"), get(person, file)
    assert (told.status_code, told.body) == (200, b"")
    assert dict(told.headers) == dict(whole.headers)


def test_others_and_nobody_get_nothing(person: User) -> None:
    file = text_file(person)
    assert get(make_user(), file).status_code == 404
    anonymous = get(None, file)
    assert anonymous.status_code == 302
    assert anonymous.headers["Location"] == f"/accounts/login/?next=/attachments/{file.pk}/"


def test_a_hidden_conversation_hides_its_files(person: User, said: Message) -> None:
    file = make_file(person, message=said)
    assert get(person, file).status_code == 200
    Conversation.objects.update(hidden_at=timezone.now())
    assert get(person, file).status_code == get(person, file, "thumbnail/").status_code == 404


@pytest.mark.parametrize("state", ["pending", "failed", "deleted"])
def test_what_is_not_ready_is_not_there(person: User, state: str) -> None:
    file = make_file(person, data=None, state=state)
    assert get(person, file).status_code == get(person, file, "thumbnail/").status_code == 404


SIZE = len(LARGE)
PARTS = {
    "bytes=0-0": (0, 1),
    "bytes=0-99": (0, 100),
    "bytes=300000-": (300_000, SIZE),
    "bytes=-100": (SIZE - 100, SIZE),
    f"bytes=0-{SIZE * 2}": (0, SIZE),
    f"bytes=-{SIZE * 2}": (0, SIZE),
    f"bytes={SIZE - 1}-": (SIZE - 1, SIZE),
    "bytes = 5 - 9": (5, 10),
}


@pytest.mark.parametrize("asked", PARTS)
def test_a_part_that_is_asked_for_is_what_comes(person: User, asked: str) -> None:
    start, end = PARTS[asked]
    response = get(person, text_file(person), Range=asked)
    assert (response.status_code, response.body) == (206, LARGE[start:end])
    assert response.headers["Content-Range"] == f"bytes {start}-{end - 1}/{SIZE}"
    assert response.headers["Content-Length"] == str(end - start)


@pytest.mark.parametrize(
    "asked", ["bytes=5-2", "bytes=-", "bytes=0-1,5-6", "lines=0-1", "bytes=x", f"bytes=0-{'9' * 30}", "bytes=²-³", ""]
)
def test_a_part_that_makes_no_sense_is_answered_with_the_whole(person: User, asked: str) -> None:
    response = get(person, text_file(person), Range=asked)
    assert (response.status_code, response.body) == (200, LARGE)


@pytest.mark.parametrize("asked", [f"bytes={SIZE}-", f"bytes={SIZE}-{SIZE + 5}", "bytes=-0"])
def test_a_part_behind_the_end_is_refused(person: User, asked: str) -> None:
    response = get(person, text_file(person), Range=asked)
    assert (response.status_code, response.body) == (416, b"")
    assert response.headers["Content-Range"] == f"bytes */{SIZE}"


def test_a_download_goes_on_only_where_it_is_the_same_file(person: User) -> None:
    file = text_file(person)
    same = get(person, file, **{"Range": "bytes=10-19", "If-Range": f'"{file.sha256}"'})
    other = get(person, file, **{"Range": "bytes=10-19", "If-Range": '"another"'})
    assert (same.status_code, other.status_code) == (206, 200)


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ('a"b;c.csv', "attachment; filename=\"a_b_c.csv\"; filename*=UTF-8''a%22b%3Bc.csv"),
        ("Jahresübersicht €.csv", "filename*=UTF-8''Jahres%C3%BCbersicht%20%E2%82%AC.csv"),
        ("x\r\nSet-Cookie: a=b.csv", "Set-Cookie: a=b.csv"),
    ],
)
def test_f9_a_name_makes_no_header_of_its_own(person: User, name: str, header: str) -> None:
    response = get(person, text_file(person, name=name))
    assert header.split("filename*=")[-1] in response.headers["Content-Disposition"]
    assert "\n" not in response.headers["Content-Disposition"]
    assert response.headers["Content-Disposition"].startswith("attachment; ")
    assert not response.cookies


@pytest.mark.parametrize("kind", ["text/html", "image/svg+xml", "application/xhtml+xml", "text/javascript", "x/y;z"])
@pytest.mark.parametrize("query", ["", "?inline"])
def test_x10_what_could_act_as_a_page_leaves_as_bytes_to_be_saved(person: User, kind: str, query: str) -> None:
    response = get(person, text_file(person, content_type=kind, name="page.html", data=b"<script>1</script>"), query)
    assert response.headers["Content-Type"] == "application/octet-stream"
    assert response.headers["Content-Disposition"].startswith("attachment;")
    assert {name: response.headers[name] for name in GUARDS} == GUARDS


def test_an_image_may_be_looked_at_and_is_otherwise_saved(person: User) -> None:
    picture = make_file(person)
    assert get(person, picture).headers["Content-Disposition"].startswith("attachment;")
    shown = get(person, picture, "?inline")
    assert shown.headers["Content-Disposition"].startswith("inline;")
    assert (shown.body, shown.headers["Content-Type"]) == (PNG, "image/png")
    assert {name: shown.headers[name] for name in GUARDS} == GUARDS


def test_s8_a_file_that_storage_lost_is_a_404_and_told(
    person: User, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = text_file(person)
    (folder / file.key).unlink()
    assert get(person, file).status_code == 404
    assert f"File {file.pk} is missing in storage" in caplog.text


def test_s5_a_file_that_is_shorter_in_storage_is_not_served(
    person: User, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = text_file(person)
    (folder / file.key).write_bytes(LARGE[:-1])
    assert get(person, file).status_code == 404
    assert f"File {file.pk} is {SIZE - 1} bytes in storage" in caplog.text


def test_s5_a_file_with_other_bytes_never_arrives_whole(person: User, folder: Path) -> None:
    file = text_file(person)
    (folder / file.key).write_bytes(b"?" + LARGE[1:])
    seen = 0

    async def ask(client: AsyncClient) -> None:
        nonlocal seen
        response: Any = await client.get(f"/attachments/{file.pk}/")
        async for chunk in response.streaming_content:
            seen += len(chunk)

    with pytest.raises(storage.StorageProblem):
        with_client(person, ask)
    assert 0 < seen < SIZE


def test_storage_that_is_away_is_said(person: User, settings: Settings) -> None:
    file = text_file(person)
    settings.STORAGES = settings.STORAGES | {
        "default": {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": {"bucket_name": "none"}}
    }
    settings.AWS_S3_ENDPOINT_URL = "http://127.0.0.1:9"
    response = get(person, file)
    assert (response.status_code, response.headers["Retry-After"]) == (503, "10")
    assert "The file is not lost" in response.body.decode()


def test_who_leaves_early_leaves_no_file_open(person: User, folder: Path) -> None:
    file = text_file(person, data=LARGE * 4)

    def is_open() -> bool:
        return any(fd.is_symlink() and fd.readlink() == folder / file.key for fd in Path("/proc/self/fd").iterdir())

    async def ask(client: AsyncClient) -> bool:
        response: Any = await client.get(f"/attachments/{file.pk}/")
        await anext(aiter(response.streaming_content))
        was_open = is_open()
        response.close()
        return was_open

    assert with_client(person, ask)
    wait_for(lambda: not is_open(), what="the closing of the file")


def test_no_database_connection_is_held_while_bytes_are_sent(person: User) -> None:
    file = text_file(person)

    async def ask(client: AsyncClient) -> bool:
        response: Any = await client.get(f"/attachments/{file.pk}/")
        assert response.streaming
        is_given_back = await sync_to_async(lambda: connection.connection is None)()
        response.close()
        return is_given_back

    assert with_client(person, ask)


def png(size: tuple[int, int] = (900, 600)) -> bytes:
    buffer = io.BytesIO()
    Image.effect_noise(size, 50).save(buffer, "png")
    return buffer.getvalue()


def test_a_thumbnail_is_small_and_kept_by_the_browser_alone(person: User) -> None:
    picture = make_file(person, data=png())
    response = get(person, picture, "thumbnail/")
    image = Image.open(io.BytesIO(response.body))
    assert (response.status_code, image.format, image.size) == (200, "WEBP", (480, 320))
    assert response.headers["Content-Type"] == "image/webp"
    assert response.headers["Cache-Control"].startswith("private, max-age=86400")
    assert "Cookie" in response.headers["Vary"]
    assert {name: response.headers[name] for name in GUARDS} == GUARDS
    again = get(person, picture, "thumbnail/", **{"If-None-Match": response.headers["ETag"]})
    assert (again.status_code, again.body) == (304, b"")
    assert get(make_user(), picture, "thumbnail/").status_code == 404
    assert get(None, picture, "thumbnail/").status_code == 302


@pytest.mark.parametrize(("data", "kind"), [(LARGE, "text/csv"), (b"no picture", "image/png"), (PNG[:40], "image/png")])
def test_what_is_no_image_has_no_thumbnail(person: User, data: bytes, kind: str) -> None:
    assert get(person, make_file(person, data=data, content_type=kind), "thumbnail/").status_code == 404


def test_a_public_bucket_hands_files_out_itself(
    person: User, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FakeS3() as s3:
        use_bucket(settings, monkeypatch, s3.environment(s3.make_bucket()))
        file = text_file(person, name="Übersicht.csv")
        streamed = get(person, file)
        assert (streamed.status_code, streamed.body) == (200, LARGE)
        settings.AWS_S3_PUBLIC_ENDPOINT_URL = s3.endpoint
        response = get(person, file)
        link = response.headers["Location"]
        assert response.status_code == 302
        assert "no-store" in response.headers["Cache-Control"]
        assert urlsplit(link).netloc == urlsplit(s3.endpoint).netloc
        assert "X-Amz-Expires=60" in link
        with build_opener(ProxyHandler({})).open(link) as fetched:
            assert fetched.read() == LARGE
            assert fetched.headers["Content-Disposition"].startswith("attachment;")
        told = get(person, file, verb="head")  # a link is signed for GET alone
        assert (told.status_code, told.headers["Content-Length"]) == (200, str(SIZE))
        picture = make_file(person)
        assert get(person, picture, "?inline").body == PNG
        assert get(person, picture, "thumbnail/").status_code == 200
        assert get(make_user(), file).status_code == 404
