"""People at their browsers, as a process of its own: each sends a message as htmx does and reads the live answer."""

import asyncio
import re
import time
import uuid
from dataclasses import dataclass

import aiohttp

from bench import scenario
from bench.load import Load, Turn, read_task, write_result

_STREAM = re.compile(rb'hx-sse:connect="([^"?]+)([^"]*)"')
_FIRST_WORD = scenario.FIRST_WORD.encode()


@dataclass
class Person:
    """Somebody who is signed in and has a conversation open."""

    cookie: str
    csrf: str
    conversation: str
    last: str  # the last message that the page shows

    async def ask(self, session: aiohttp.ClientSession, url: str, prompt: str) -> Turn:
        """Send a message, follow its answer to the end and return what was seen when."""
        form = {"prompt": prompt, "client_token": str(uuid.uuid4()), "after": self.last}
        headers = {"Cookie": self.cookie, "Origin": url, "HX-Request": "true", "Accept": "text/html"}
        began = time.perf_counter()
        address = f"{url}/conversations/{self.conversation}/messages/"
        async with session.post(
            address, data=form | {"csrfmiddlewaretoken": self.csrf}, headers=headers, allow_redirects=False
        ) as sent:
            page = await sent.read()
        accepted = time.perf_counter() - began
        found = _STREAM.search(page)
        if sent.status != 200 or found is None:
            raise RuntimeError(f"The message was not accepted: {sent.status} {page[:500]!r}")
        self.last = found[1].decode().split("/")[2]
        headers = {"Cookie": self.cookie, "Accept": "text/event-stream"}
        async with session.get(url + (found[1] + found[2]).decode(), headers=headers) as answer:
            first, events = await _follow(answer, began)
        return Turn(accepted, first, time.perf_counter() - began, events)


async def _follow(answer: aiohttp.ClientResponse, began: float) -> tuple[float, int]:
    """Read every event; return when the first one with text came and how many there were."""
    first, events, rest = 0.0, 0, b""
    async for piece in answer.content.iter_any():
        *whole, rest = (rest + piece).split(b"\n\n")
        for event in whole:
            events += 1
            if not first and _FIRST_WORD in event:
                first = time.perf_counter() - began
            if event.startswith(b"event: done"):
                if not first:
                    raise RuntimeError(f"An answer ended without text: {event[:500]!r}")
                return first, events
    raise RuntimeError(f"A stream of status {answer.status} ended before its answer did.")


async def main() -> None:
    """Run the load that stdin tells."""
    task = read_task()
    load = Load(**task["load"])
    people = [Person(**person) for person in task["people"]]
    timeout = aiohttp.ClientTimeout(total=None, sock_read=60)
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0), cookie_jar=aiohttp.DummyCookieJar(), timeout=timeout
    ) as session:

        async def ask(number: int) -> Turn:
            return await people[number].ask(session, task["url"], load.prompt)

        turns = await load.run(ask)
    write_result(turns, last=[person.last for person in people])


if __name__ == "__main__":
    asyncio.run(main())
