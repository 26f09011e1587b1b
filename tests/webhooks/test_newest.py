"""Who waits for the next event hears of it, whatever befell the connection with which it was looked for."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import InterfaceError, OperationalError
from django.db.backends.signals import connection_created

from tests.webhooks.sent import make_events
from webhooks.live.newest import wait_beyond

pytestmark = pytest.mark.django_db(transaction=True)
SECONDS = 10


@pytest.fixture
def faults() -> Iterator[list[Exception]]:
    """What connections fail with that are opened from now on, one after the other."""
    faults: list[Exception] = []

    def fail(**_: Any) -> None:
        if faults:
            raise faults.pop(0)

    connection_created.connect(fail)
    yield faults
    connection_created.disconnect(fail)


@pytest.mark.parametrize("fault", [OperationalError, InterfaceError], ids=["operational", "interface"])
def test_d1_a_connection_that_breaks_ends_no_waiting(faults: list[Exception], fault: type[Exception]) -> None:
    make_events(1)
    faults += [fault("the connection is closed")] * 2
    assert asyncio.run(wait_beyond(0, SECONDS))
    assert not faults


def test_whoever_comes_next_has_events_looked_for_again(faults: list[Exception]) -> None:
    make_events(1)

    async def wait() -> tuple[bool, bool]:
        faults.append(RuntimeError("what nobody thought of"))
        first = asyncio.create_task(wait_beyond(0, SECONDS))
        while faults or asyncio.all_tasks() - {first, asyncio.current_task()}:
            await asyncio.sleep(0.01)
        assert not first.done()
        second = await wait_beyond(0, SECONDS)
        return await first, second

    assert asyncio.run(wait()) == (True, True)
