"""`python -m bench.downloads`: many people download a large file at once; what that does to the web's memory."""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import time

import aiohttp
import psutil

from bench.stand import Stand, running_stand
from conversations.ids import uuid7

MEGABYTE = 1_000_000


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.downloads", description=__doc__)
    parser.add_argument("--people", type=int, default=50, help="at once")
    parser.add_argument("--megabytes", type=int, default=500, help="of the file")
    arguments = parser.parse_args()
    with running_stand() as stand:
        stand.invite(1)
        address = _keep_file(stand, arguments.megabytes)
        before = _memory(stand)
        began = time.monotonic()
        peak, received = asyncio.run(_download(stand, address, arguments.people))
        seconds = time.monotonic() - began
    arrived = f"{received // MEGABYTE:,} MB in {seconds:.0f} s"
    print(f"{arguments.people} downloads of {arguments.megabytes} MB at once: {arrived}")
    print(f"memory of all web processes: {before / MEGABYTE:.0f} MB before, {peak / MEGABYTE:.0f} MB at most")


def _keep_file(stand: Stand, megabytes: int) -> str:
    """Put a file of the first person into storage as an upload leaves it; return its address."""
    pk, key = uuid7(), f"files/2026/01/{uuid7().hex}"
    path = stand.site.folder / "files" / key
    path.parent.mkdir(parents=True, exist_ok=True)
    block, found = b"0123456789abcdef" * 62_500, hashlib.sha256()
    with path.open("wb") as file:
        for _ in range(megabytes):
            file.write(block)
            found.update(block)
    stand.site.sql(
        "INSERT INTO conversations_attachment (id, owner_id, origin, state, bucket, key, name, content_type, size,"
        " sha256, source_id, failure, container_id, container_file_id, provider_file_id, created_at, ready_at)"
        " SELECT %s, id, 'user', 'ready', '', %s, 'large.txt', 'text/plain', %s, %s, '', '', '', '', '', now(), now()"
        " FROM accounts_user WHERE username = 'person-0' RETURNING id",
        pk,
        key,
        megabytes * MEGABYTE,
        found.hexdigest(),
    )
    return f"{stand.site.url}/attachments/{pk}/"


async def _download(stand: Stand, address: str, people: int) -> tuple[int, int]:
    """Return the most memory seen meanwhile, and how many bytes arrived."""
    peak, done = 0, asyncio.Event()

    async def watch() -> None:
        nonlocal peak
        while not done.is_set():
            peak = max(peak, _memory(stand))
            await asyncio.sleep(0.2)

    async def fetch(session: aiohttp.ClientSession) -> int:
        received = 0
        async with session.get(address, headers={"Cookie": stand.people[0]["cookie"]}) as answer:
            answer.raise_for_status()
            async for piece in answer.content.iter_any():
                received += len(piece)
        return received

    watching = asyncio.create_task(watch())
    timeout = aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), timeout=timeout) as session:
        received = sum(await asyncio.gather(*(fetch(session) for _ in range(people))))
    done.set()
    await watching
    return peak, received


def _memory(stand: Stand) -> int:
    web = psutil.Process(stand.site.pid("web"))
    return sum(process.memory_info().rss for process in (web, *web.children(recursive=True)))


if __name__ == "__main__":
    main()
