"""Files that cannot leave as they are on record: told, never sent as if they were whole, and nothing left open."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.test import AsyncClient
from pytest_django import Settings

from accounts.models import User
from conversations.files import storage
from tests.fakes.folder import FilesFolder
from tests.pages.asked import with_client
from tests.pages.downloaded import LARGE, SIZE, get, text_file
from tests.system.site import wait_for

pytestmark = [
    pytest.mark.django_db(transaction=True),  # a download gives its database connection back
    pytest.mark.usefixtures("folder"),
]


def test_s8_a_file_that_storage_lost_is_a_404_and_told(
    person: User, folder: FilesFolder, caplog: pytest.LogCaptureFixture
) -> None:
    file = text_file(person)
    (folder.path / file.key).unlink()
    assert get(person, file).status_code == 404
    assert f"File {file.pk} is missing in storage" in caplog.text


def test_s5_a_file_that_is_shorter_in_storage_is_not_served(
    person: User, folder: FilesFolder, caplog: pytest.LogCaptureFixture
) -> None:
    file = text_file(person)
    (folder.path / file.key).write_bytes(LARGE[:-1])
    assert get(person, file).status_code == 404
    assert f"File {file.pk} is {SIZE - 1} bytes in storage" in caplog.text


def test_s5_a_file_with_other_bytes_never_arrives_whole(person: User, folder: FilesFolder) -> None:
    file = text_file(person)
    (folder.path / file.key).write_bytes(b"?" + LARGE[1:])
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


def test_who_leaves_early_leaves_no_file_open(person: User, folder: FilesFolder) -> None:
    file = text_file(person, data=LARGE * 4)

    def is_open() -> bool:
        return any(
            fd.is_symlink() and fd.readlink() == folder.path / file.key for fd in Path("/proc/self/fd").iterdir()
        )

    async def ask(client: AsyncClient) -> bool:
        response: Any = await client.get(f"/attachments/{file.pk}/")
        await anext(aiter(response.streaming_content))
        was_open = is_open()
        response.close()
        return was_open

    assert with_client(person, ask)
    wait_for(lambda: not is_open(), what="the closing of the file")
