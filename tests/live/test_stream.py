"""The live view of one answer, driven by hand."""

import asyncio

import pytest

from conversations.live.hub import hub
from conversations.live.stream import _events
from conversations.models import Message, MessageChunk
from tests.live.running import ask
from tests.services.calls import begin

pytestmark = pytest.mark.django_db(transaction=True)


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
