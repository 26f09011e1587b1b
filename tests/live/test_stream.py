"""The live view of one answer, driven by hand."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest

from conversations.live import hub as hubs
from conversations.live.hub import Hub, hub
from conversations.live.stream import _events
from conversations.models import Message, MessageChunk
from tests.live.running import ask
from tests.services.calls import begin


@pytest.mark.django_db(transaction=True)
def test_c8_a_slow_reader_waits_for_itself_alone() -> None:
    answer = begin()
    Message.objects.filter(pk=answer.pk).update(status="streaming", attempt=1)
    MessageChunk.objects.create(message=answer, start=0, text="Hello ")

    async def read() -> list[bytes]:
        events = _events(answer.pk, "", 0)
        seen = [await anext(events)]
        await asyncio.sleep(1)  # so long the first event takes to be sent
        ask("INSERT INTO conversations_messagechunk (message_id, start, text) VALUES (%s, 6, 'world')", answer.pk)
        async with asyncio.timeout(10):
            while b"world" not in seen[-1]:
                seen.append(await anext(events))
        await events.aclose()  # type: ignore[attr-defined]
        task = hub()._task
        assert task is not None
        task.cancel()
        await asyncio.wait([task])
        return seen

    seen = asyncio.run(read())
    assert b"Hello" in seen[0]
    assert b"Hello world" in seen[-1]


THREE = "one\n\ntwo\n\nthree"


@dataclass
class Record:
    """In the place of the hub's connection: an answer that has `text`, told once `may_tell`."""

    message_id: UUID
    text: str
    may_tell: asyncio.Event | None = None

    async def execute(self, statement: str, watched: tuple[list[UUID], list[int]]) -> Any:
        self.told = [(self.message_id, "streaming", "", None, known, self.text[known:] or None) for known in watched[1]]
        if self.may_tell is not None:
            await self.may_tell.wait()
        return self

    async def fetchall(self) -> list[Any]:
        return self.told


async def open_page(answer: UUID, after: int) -> tuple[AsyncIterator[bytes], asyncio.Task[bytes]]:
    """A page that shows `after` code points of an answer and waits for more, and what it is told first."""
    page = _events(answer, "", after)

    async def be_told() -> bytes:
        async with asyncio.timeout(5):
            return await anext(page)

    told = asyncio.create_task(be_told())
    await asyncio.sleep(0)
    return page, told


@pytest.fixture
def looked_by_hand(monkeypatch: pytest.MonkeyPatch) -> Hub:
    """A hub that looks when a test has it look."""
    one = Hub()

    async def never() -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(one, "_run", never)
    monkeypatch.setattr(hubs, "_hubs", {})
    monkeypatch.setattr("conversations.live.stream.hub", lambda: one)
    return one


def test_c1_a_page_that_comes_back_while_the_hub_looks_is_told_nothing_twice(looked_by_hand: Hub) -> None:
    answer = uuid4()

    async def come_back() -> bytes:
        page, told = await open_page(answer, 0)
        await looked_by_hand._look(Record(answer, THREE))  # type: ignore[arg-type]
        assert b"<p>one</p>" in await told
        may_tell = asyncio.Event()
        look = asyncio.create_task(looked_by_hand._look(Record(answer, THREE, may_tell)))  # type: ignore[arg-type]
        await asyncio.sleep(0)
        await page.aclose()  # type: ignore[attr-defined]
        _, told = await open_page(answer, 10)
        may_tell.set()
        await look
        await looked_by_hand._look(Record(answer, THREE))  # type: ignore[arg-type]
        return await told

    told = asyncio.run(come_back())
    assert b"three" in told
    assert b"one" not in told
    assert b"two" not in told


def test_c1_a_page_that_another_process_told_of_more_waits_until_as_much_is_known(looked_by_hand: Hub) -> None:
    answer = uuid4()

    async def come_from_elsewhere() -> bytes:
        _, told = await open_page(answer, 0)
        await looked_by_hand._look(Record(answer, THREE[:6]))  # type: ignore[arg-type]
        await told
        _, told = await open_page(answer, 10)
        await asyncio.sleep(0.05)
        assert not told.done()
        await looked_by_hand._look(Record(answer, THREE))  # type: ignore[arg-type]
        return await told

    told = asyncio.run(come_from_elsewhere())
    assert b"three" in told
    assert b"two" not in told
