"""Storage that fails: what is tried again, what is detected, and that nothing half done remains."""

from __future__ import annotations

import asyncio
import logging

import pytest
from botocore.config import Config
from pytest_django import Settings

from conversations.files import storage
from tests.fakes.faulty_proxy import Fault, FaultyProxy
from tests.fakes.s3 import FakeS3
from tests.storage.conftest import CONTENT, SHA256, Put


@pytest.fixture
def impatient(proxy: FaultyProxy, settings: Settings) -> None:
    """As in production, but a silent server is given up after half a second."""
    patience = Config(read_timeout=0.5, retries={"mode": "standard", "total_max_attempts": 2})
    settings.AWS_S3_CLIENT_CONFIG = settings.AWS_S3_CLIENT_CONFIG.merge(patience)
    settings.STORAGES = dict(settings.STORAGES)


def streamed(key: str, sha256: str = "") -> bytes:
    given: list[bytes] = []

    async def take() -> None:
        async for chunk in storage.open_stream(key, sha256=sha256):
            given.append(chunk)

    try:
        asyncio.run(take())
    except storage.StorageProblem:
        assert len(b"".join(given)) < len(CONTENT)
        raise
    return b"".join(given)


def test_s1_storage_that_is_down_is_told_at_once_and_leaves_nothing(
    s3: FakeS3, proxy: FaultyProxy, put: Put, impatient: None
) -> None:
    proxy.fail(Fault())
    with pytest.raises(storage.StorageProblem):
        put(CONTENT)
    assert proxy.count("PUT") == 0  # the file is not sent to a server that does not answer
    proxy.heal()
    assert s3.keys(storage.bucket()) == []
    assert storage.read(put(CONTENT)) == CONTENT


def test_s1_storage_that_goes_down_in_the_middle_leaves_nothing_that_counts(
    s3: FakeS3, proxy: FaultyProxy, put: Put, impatient: None
) -> None:
    for fault in (Fault("PUT", cut_request=100_000), Fault("PUT"), Fault("PUT", status=500, code="InternalError")):
        proxy.heal()
        proxy.fail(fault)
        with pytest.raises(storage.StorageProblem):
            put(CONTENT)
        assert proxy.count("PUT") == 2
        assert s3.keys(storage.bucket()) == []


def test_s1_a_server_that_never_answers_is_given_up(proxy: FaultyProxy, put: Put, impatient: None) -> None:
    proxy.fail(Fault("HEAD", pause=2))
    with pytest.raises(storage.StorageProblem, match="ReadTimeout"):
        put(CONTENT)
    assert proxy.count("HEAD") == 2


@pytest.mark.parametrize(("status", "code"), [(503, "SlowDown"), (500, "InternalError")])
def test_s3_three_refusals_are_survived_with_one_object(
    s3: FakeS3, proxy: FaultyProxy, put: Put, status: int, code: str
) -> None:
    proxy.fail(Fault("PUT", times=3, status=status, code=code))
    key = put(CONTENT)
    assert proxy.count("PUT") == 4
    assert s3.keys(storage.bucket()) == [key]
    assert s3.client.get_object(Bucket=storage.bucket(), Key=key)["Body"].read() == CONTENT


def test_s3_an_answer_that_is_lost_makes_no_second_object(s3: FakeS3, proxy: FaultyProxy, put: Put) -> None:
    proxy.fail(Fault("PUT", times=1, cut_answer=0))
    key = put(CONTENT)
    assert proxy.count("PUT") == 2
    assert s3.keys(storage.bucket()) == [key]


def test_what_was_refused_for_good_is_not_tried_again(proxy: FaultyProxy, put: Put) -> None:
    proxy.fail(Fault("PUT", status=403, code="AccessDenied"))
    with pytest.raises(storage.StorageProblem, match="AccessDenied"):
        put(CONTENT)
    assert proxy.count("PUT") == 1


@pytest.mark.parametrize("mode", ["when_supported", "when_required"])
@pytest.mark.parametrize("at", [0, 500_000, len(CONTENT) - 1])
def test_s5_a_byte_that_changed_on_the_way_in_is_noticed_and_nothing_stays(
    s3: FakeS3, proxy: FaultyProxy, settings: Settings, put: Put, mode: str, at: int, caplog: pytest.LogCaptureFixture
) -> None:
    use_checksums(settings, mode)
    proxy.fail(Fault("PUT", times=1, flip=at))
    with caplog.at_level(logging.ERROR), pytest.raises(storage.StorageProblem):
        put(CONTENT)
    assert s3.keys(storage.bucket()) == []
    assert [record.levelname for record in caplog.records if record.name.startswith("conversations")] == ["ERROR"]


@pytest.mark.parametrize("mode", ["when_supported", "when_required"])
@pytest.mark.parametrize("at", [0, 500_000, len(CONTENT) - 1])
def test_s5_a_byte_that_changed_on_the_way_out_is_noticed_and_the_end_is_not_served(
    proxy: FaultyProxy, settings: Settings, put: Put, mode: str, at: int, caplog: pytest.LogCaptureFixture
) -> None:
    use_checksums(settings, mode)
    key = put(CONTENT)
    proxy.fail(Fault("GET", flip=at))
    with caplog.at_level(logging.ERROR):
        for get in (streamed, storage.read):
            with pytest.raises(storage.StorageProblem):
                get(key, sha256=SHA256)
    assert [record.levelname for record in caplog.records if record.name.startswith("conversations")] == ["ERROR"] * 2
    proxy.heal()
    assert streamed(key, SHA256) == storage.read(key, sha256=SHA256) == CONTENT


@pytest.mark.parametrize("at", [0, 1, 300_000, len(CONTENT) - 1])
def test_s5_a_download_that_is_cut_goes_on_where_it_was(proxy: FaultyProxy, put: Put, at: int) -> None:
    key = put(CONTENT)
    proxy.heal()
    proxy.fail(Fault("GET", times=1, cut_answer=at))
    assert streamed(key, SHA256) == CONTENT
    assert proxy.count("GET") == 2


def test_s5_a_download_that_is_cut_again_and_again_is_given_up(proxy: FaultyProxy, put: Put, impatient: None) -> None:
    key = put(CONTENT)
    proxy.heal()
    proxy.fail(Fault("GET", cut_answer=100))
    with pytest.raises(storage.StorageProblem):
        streamed(key)
    assert proxy.count("GET") == 4


def test_s5_a_download_never_goes_on_with_another_object(s3: FakeS3, proxy: FaultyProxy, put: Put) -> None:
    key = put(CONTENT)
    proxy.fail(Fault("GET", times=1, cut_answer=600_000))

    async def check() -> None:
        stream = storage.open_stream(key)
        assert await anext(stream)
        s3.client.put_object(Bucket=storage.bucket(), Key=key, Body=bytes(len(CONTENT)))
        with pytest.raises(storage.StorageProblem):
            async for _ in stream:
                pass

    asyncio.run(check())


def test_s5_a_server_that_gives_the_whole_for_a_part_is_not_believed(proxy: FaultyProxy, put: Put) -> None:
    key = put(CONTENT)
    proxy.fail(Fault("GET", whole=True))

    async def take() -> bytes:
        return b"".join([chunk async for chunk in storage.open_stream(key, start=10, end=20)])

    with pytest.raises(storage.StorageProblem):
        asyncio.run(take())


def test_a_file_that_cannot_be_proven_is_removed(s3: FakeS3, proxy: FaultyProxy, put: Put, impatient: None) -> None:
    proxy.fail(Fault("GET"))
    with pytest.raises(storage.StorageProblem):
        put(CONTENT)
    assert s3.keys(storage.bucket()) == []


def use_checksums(settings: Settings, mode: str) -> None:
    checksums = Config(request_checksum_calculation=mode, response_checksum_validation=mode)  # type: ignore[arg-type]
    settings.AWS_S3_CLIENT_CONFIG = settings.AWS_S3_CLIENT_CONFIG.merge(checksums)
    settings.STORAGES = dict(settings.STORAGES)
