"""Large files pass through a process that does not grow, and that goes on with other things meanwhile."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from django.conf import settings as django_settings

from conversations.files import storage
from tests.fakes.faulty_proxy import Fault, FaultyProxy
from tests.fakes.s3 import FakeS3
from tests.storage.conftest import Put

MEGABYTES = 200
_SCRIPT = """
import asyncio, hashlib, json, resource, sys, tempfile
import django
django.setup()
from conversations.files import storage

MEGABYTES, READERS = int(sys.argv[1]), int(sys.argv[2])
BLOCK = bytes(1_000_000)

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

def put(file, blocks):
    sha256 = hashlib.sha256()
    for _ in range(blocks):
        file.write(BLOCK)
        sha256.update(BLOCK)
    key = storage.new_key()
    storage.put(key, file, size=blocks * len(BLOCK), sha256=sha256.hexdigest(), content_type="application/pdf")
    return key, sha256.hexdigest()

async def length(key, sha256):
    return sum([len(chunk) async for chunk in storage.open_stream(key, sha256=sha256)])

async def lengths(key, sha256):
    return await asyncio.gather(*(length(key, sha256) for _ in range(READERS)))

with tempfile.TemporaryFile() as file:
    asyncio.run(length(*put(file, 1)))
with tempfile.TemporaryFile() as file:
    before = peak()
    key, sha256 = put(file, MEGABYTES)
    after_put = peak()
    read = asyncio.run(lengths(key, sha256))
print(json.dumps({"put": after_put - before, "read": peak() - after_put, "lengths": read}))
"""


def grown(environment: Mapping[str, str], *, readers: int) -> None:
    """Put and read a large file in a process of its own, and check by how many megabytes that process grew."""
    command = [sys.executable, "-c", _SCRIPT, str(MEGABYTES), str(readers)]
    told = subprocess.run(
        command, cwd=django_settings.BASE_DIR, env={**os.environ, **environment}, capture_output=True, check=True
    )
    values = json.loads(told.stdout.splitlines()[-1])
    assert values["lengths"] == [MEGABYTES * 1_000_000] * readers
    assert values["put"] < 15
    assert values["read"] < 15 + 2 * readers


@pytest.mark.slow
def test_memory_stays_flat_with_a_bucket(s3: FakeS3) -> None:
    grown(s3.environment(s3.make_bucket()) | {"NO_PROXY": "127.0.0.1"}, readers=2)


@pytest.mark.slow
def test_memory_stays_flat_with_a_folder_and_many_readers(tmp_path: Path) -> None:
    grown({"VAR_DIR": str(tmp_path)}, readers=20)


def test_a_slow_server_holds_up_nothing_else(proxy: FaultyProxy, put: Put) -> None:
    key = put(bytes(100_000))
    proxy.fail(Fault("GET", pause=0.5))

    async def check() -> None:
        chunk = asyncio.ensure_future(anext(storage.open_stream(key)))
        turns = 0
        while not chunk.done():
            await asyncio.sleep(0.01)
            turns += 1
        assert len(await chunk) > 0
        assert turns > 10

    asyncio.run(check())


@pytest.mark.parametrize("leave", ["cancel", "close", "aclose", "forget"])
def test_whoever_leaves_ends_the_download(proxy: FaultyProxy, put: Put, leave: str) -> None:
    size = 40_000_000
    key = put(bytes(size))
    proxy.sent = 0

    async def check() -> None:
        stream = storage.open_stream(key)
        await anext(stream)
        match leave:
            case "cancel":
                waiting = asyncio.ensure_future(anext(stream))
                await asyncio.sleep(0)
                waiting.cancel()
                await asyncio.wait([waiting])
            case "close":
                stream.close()
            case "aclose":
                await stream.aclose()
        del stream
        async with asyncio.timeout(20):
            while proxy.busy:
                await asyncio.sleep(0.05)

    asyncio.run(check())
    assert proxy.sent < size
