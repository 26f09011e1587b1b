"""A bucket of a real server, a folder, and a proxy that breaks what passes between."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from conversations.files import storage
from tests.fakes.faulty_proxy import FaultyProxy
from tests.fakes.s3 import FakeS3, use_bucket

Put = Callable[..., str]
CONTENT = bytes(range(256)) * 4_000  # just under four chunks
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture(scope="package")
def s3() -> Iterator[FakeS3]:
    with FakeS3() as server:
        yield server


@pytest.fixture
def folder(settings: Settings, tmp_path: Path) -> Path:
    """Files in a folder of this test's own."""
    backend = "django.core.files.storage.FileSystemStorage"
    options = {"location": tmp_path / "files of the record"}
    settings.STORAGES = settings.STORAGES | {"default": {"BACKEND": backend, "OPTIONS": options}}
    return tmp_path / "files of the record"


@pytest.fixture
def bucket(s3: FakeS3, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> str:
    """Files in a bucket of this test's own."""
    name = s3.make_bucket()
    use_bucket(settings, monkeypatch, s3.environment(name))
    return name


@pytest.fixture
def proxy(s3: FakeS3, bucket: str, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyProxy]:
    """The same bucket through a proxy."""
    with FaultyProxy(s3.endpoint) as proxy:
        use_bucket(settings, monkeypatch, s3.environment(bucket, endpoint=proxy.url))
        yield proxy


@pytest.fixture(params=["folder", "bucket"])
def either(request: pytest.FixtureRequest) -> str:
    """Each kind of storage in turn."""
    request.getfixturevalue(request.param)
    return str(request.param)


@pytest.fixture
def put() -> Put:
    """Store some bytes under a new key and return it."""

    def put(content: bytes, key: str = "", content_type: str = "text/csv") -> str:
        key = key or storage.new_key()
        storage.put(
            key,
            io.BytesIO(content),
            size=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
            content_type=content_type,
        )
        return key

    return put
