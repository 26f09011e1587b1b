"""Clients that leave in the middle or read too slowly disturb nobody else."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import aiohttp
import psutil
import pytest
from django.conf import settings

from tests.system.site import Site, marker, wait_for

PEOPLE = 50
REQUESTS = 20  # of each


def held_connections(site: Site) -> int:
    """How many connections are in the middle of something."""
    states = "state IN ('active', 'idle in transaction', 'idle in transaction (aborted)')"
    query = f"SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND {states}"
    return int(site.sql(query + " AND pid <> pg_backend_pid()")[0][0])


@pytest.mark.timeout(180)
def test_p9_a_thousand_cancelled_requests_show_nobody_another_persons_words(site: Site) -> None:
    dice = random.Random(9)
    people = []
    for number in range(PEOPLE):
        browser = site.sign_in(f"rude-{number}")
        word = f"owned-by-{number:03}-alone"
        conversation, answer = browser.begin(f"{word} " + marker(text=f"{word} " * 40, delay_ms=100))
        people.append((browser.session_key, word, [f"/conversations/{conversation}/", f"/messages/{answer}/stream/"]))
    words = {word for _, word, _ in people}
    completed = 0
    foreign: list[str] = []

    async def rude(session: aiohttp.ClientSession, key: str, word: str, path: str, patience: float) -> None:
        nonlocal completed
        body = bytearray()
        with contextlib.suppress(TimeoutError, aiohttp.ClientError):
            async with asyncio.timeout(patience):
                cookie = {"Cookie": f"{settings.SESSION_COOKIE_NAME}={key}"}
                async with session.get(site.url + path, headers=cookie) as answer:
                    async for piece in answer.content.iter_any():
                        body += piece
                completed += 1
        text = body.decode(errors="replace")
        foreign.extend(other for other in words - {word} if other in text)

    async def visit(session: aiohttp.ClientSession, number: int) -> None:
        key, word, paths = people[number]
        for _ in range(REQUESTS):
            await rude(session, key, word, dice.choice(paths), dice.uniform(0.005, 0.4))

    async def visit_all() -> None:
        connector = aiohttp.TCPConnector(limit=0, force_close=True)
        async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as session:
            await asyncio.gather(*(visit(session, number) for number in range(PEOPLE)))

    asyncio.run(visit_all())

    assert foreign == []
    assert completed < PEOPLE * REQUESTS
    for key, word, paths in people:
        row = site.wait_until_ended(paths[1].split("/")[2])
        assert (row["status"], set(row["text"].split())) == ("completed", {word}), key
    wait_for(lambda: held_connections(site) == 0, what="the connections of the cancelled requests")
    with ThreadPoolExecutor(40) as threads:  # more than the pool has: none of its connections is lost
        browser = site.sign_in("rude-0")
        statuses = list(threads.map(lambda _: browser.request("GET", people[0][2][0])[0], range(80)))
    assert statuses == [200] * 80


@pytest.mark.timeout(120)
def test_c8_a_reader_of_a_thousand_bytes_a_second_slows_no_answer_and_takes_no_memory(site: Site) -> None:
    browser = site.sign_in("slow-reader")
    text = "\n\n".join(f"Paragraph {number}: " + "word " * 60 for number in range(150))
    _, answer = browser.begin("slow " + marker(text=text, delay_ms=1))
    web = psutil.Process(site.pid("web"))
    processes = [web, *web.children(recursive=True)]
    before = sum(process.memory_info().rss for process in processes)
    with socket.create_connection(("127.0.0.1", site.port)) as reader:
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        cookie = f"{settings.SESSION_COOKIE_NAME}={browser.session_key}"
        request = f"GET /messages/{answer}/stream/ HTTP/1.1\r\nHost: 127.0.0.1:{site.port}\r\nCookie: {cookie}\r\n\r\n"
        reader.sendall(request.encode())
        began = time.monotonic()
        while site.message(answer)["status"] in ("queued", "streaming"):
            reader.recv(500)
            time.sleep(0.5)
            assert time.monotonic() - began < 60
        after = sum(process.memory_info().rss for process in processes)

    assert site.message(answer)["text"] == text
    assert after - before < 30_000_000
