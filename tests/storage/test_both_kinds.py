"""What storage promises, wherever the files are: in a folder or in a bucket."""

from __future__ import annotations

import asyncio
import concurrent.futures
import io
import re
from datetime import UTC, datetime, timedelta

import pytest

from conversations.files import storage
from tests.storage.conftest import CONTENT, SHA256, Put

pytestmark = pytest.mark.usefixtures("either")


async def collect(stream: storage.Stream) -> list[bytes]:
    return [chunk async for chunk in stream]


def test_what_was_put_is_read_whole(put: Put) -> None:
    key = put(CONTENT)
    assert storage.read(key) == CONTENT
    assert storage.read(key, sha256=SHA256) == CONTENT
    assert storage.size_of(key) == len(CONTENT)


def test_a_key_tells_the_month_and_nothing_else() -> None:
    assert re.fullmatch(r"files/20\d\d/[01]\d/[0-9a-f]{32}", storage.new_key())


def test_an_upload_starts_at_the_first_byte_wherever_the_file_was_left() -> None:
    file, key = io.BytesIO(CONTENT), storage.new_key()
    file.seek(0, io.SEEK_END)
    storage.put(key, file, size=len(CONTENT), sha256=SHA256, content_type="image/png")
    assert storage.read(key) == CONTENT
    assert not file.closed


@pytest.mark.parametrize(("size", "sha256"), [(len(CONTENT) - 1, SHA256), (len(CONTENT), "0" * 64)])
def test_s5_a_file_that_is_not_what_was_announced_is_refused_and_leaves_nothing(size: int, sha256: str) -> None:
    key = storage.new_key()
    with pytest.raises(storage.StorageProblem, match="size or hash differ"):
        storage.put(key, io.BytesIO(CONTENT), size=size, sha256=sha256, content_type="image/png")
    assert storage.size_of(key) is None
    assert list(storage.list_keys()) == []


def test_s7_a_key_is_never_overwritten(put: Put) -> None:
    key = put(CONTENT)
    with pytest.raises(storage.StorageProblem, match="taken"):
        put(b"other bytes", key)
    assert storage.read(key) == CONTENT


def test_what_was_stored_before_a_crash_may_be_put_again(put: Put) -> None:
    key = put(CONTENT)
    assert put(CONTENT, key) == key
    assert storage.read(key) == CONTENT


def test_s7_a_hundred_uploads_at_once_have_a_hundred_keys(put: Put) -> None:
    contents = [f"file {number}".encode() for number in range(100)]
    with concurrent.futures.ThreadPoolExecutor(20) as threads:
        keys = list(threads.map(put, contents))
    assert len(set(keys)) == 100
    assert [storage.read(key) for key in keys] == contents
    assert sorted(found.key for found in storage.list_keys()) == sorted(keys)


def test_what_is_missing_is_said_to_be_missing() -> None:
    key = storage.new_key()
    assert storage.size_of(key) is None
    storage.delete(key)
    with pytest.raises(storage.ObjectMissing):
        storage.read(key)
    with pytest.raises(storage.ObjectMissing):
        asyncio.run(collect(storage.open_stream(key)))


def test_what_was_deleted_is_gone(put: Put) -> None:
    key, other = put(CONTENT), put(CONTENT)
    storage.delete(key)
    storage.delete(key)
    assert storage.size_of(key) is None
    assert [found.key for found in storage.list_keys()] == [other]


def test_the_list_tells_key_size_and_time(put: Put) -> None:
    key = put(CONTENT)
    (found,) = storage.list_keys()
    assert (found.key, found.size) == (key, len(CONTENT))
    assert timedelta(seconds=-2) < datetime.now(UTC) - found.modified_at < timedelta(minutes=1)


@pytest.mark.parametrize(
    "key",
    [
        "", "/etc/passwd", "../../etc/passwd", "files/../../etc/passwd", "files/2026/10/../../../../etc/passwd",
        "files/2026/10/report.pdf", "files/2026/10/" + "0" * 31, "files/2026/10/" + "0" * 32 + "\n",
        "files/2026/10/" + "0" * 32 + "\x00", "files/٢٠٢٦/10/" + "0" * 32, "files/2026/10/" + "A" * 32,
    ],
)  # fmt: skip
def test_a_key_that_was_not_generated_is_refused(key: str, put: Put) -> None:
    for refused in (storage.read, storage.size_of, storage.delete, storage.open_stream):
        with pytest.raises(storage.StorageProblem):
            refused(key)
    with pytest.raises(storage.StorageProblem):
        storage.signed_url(key, name="passwd", content_type="text/plain")
    if key:
        with pytest.raises(storage.StorageProblem):
            put(CONTENT, key)


def test_a_stream_gives_all_bytes_in_chunks(put: Put) -> None:
    chunks = asyncio.run(collect(storage.open_stream(put(CONTENT), sha256=SHA256)))
    assert b"".join(chunks) == CONTENT
    assert max(map(len, chunks)) <= 256 * 1024
    assert len(chunks) >= 4


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (0, 1), (0, 10), (5, 10), (255, 300_000), (1_000_000, None), (len(CONTENT) - 1, None), (0, len(CONTENT)),
        (0, len(CONTENT) + 5), (len(CONTENT), None), (len(CONTENT) + 5, None), (10, 10), (10, 5), (0, 0),
    ],
)  # fmt: skip
def test_a_stream_gives_the_part_that_is_asked_for(put: Put, start: int, end: int | None) -> None:
    chunks = asyncio.run(collect(storage.open_stream(put(CONTENT), start=start, end=end, sha256=SHA256)))
    assert b"".join(chunks) == CONTENT[start : max(start, end) if end is not None else None]


def test_s5_a_stream_holds_back_its_end_when_the_hash_differs(put: Put) -> None:
    key = put(CONTENT)

    given: list[bytes] = []

    async def take() -> None:
        async for chunk in storage.open_stream(key, sha256="0" * 64):
            given.append(chunk)

    with pytest.raises(storage.StorageProblem, match="hash"):
        asyncio.run(take())
    assert 0 < len(b"".join(given)) < len(CONTENT)
    with pytest.raises(storage.StorageProblem, match="hash"):
        storage.read(key, sha256="0" * 64)


def test_a_stream_that_is_over_stays_over(put: Put) -> None:
    key = put(b"short")

    async def check() -> None:
        stream = storage.open_stream(key)
        assert await collect(stream) == [b"short"]
        with pytest.raises(StopAsyncIteration):
            await anext(stream)

    asyncio.run(check())


def test_a_stream_that_was_left_gives_nothing_more(put: Put) -> None:
    key = put(CONTENT)

    async def check() -> None:
        stream = storage.open_stream(key)
        assert await anext(stream)
        await stream.aclose()
        with pytest.raises(storage.StorageProblem, match="closed"):
            await anext(stream)
        never_begun = storage.open_stream(key)
        never_begun.close()

    asyncio.run(check())


def test_a_stream_whose_consumer_was_cancelled_never_goes_on_with_a_gap(put: Put) -> None:
    key = put(CONTENT)

    async def check() -> None:
        stream = storage.open_stream(key)
        assert await anext(stream)
        waiting = asyncio.ensure_future(stream.__anext__())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting])
        with pytest.raises(storage.StorageProblem, match="closed"):
            await anext(stream)

    asyncio.run(check())
