"""The seam is tested against a fake server of its own, over real HTTP; no database is needed."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from pytest_django import Settings

from conversations.llm import (
    Activity,
    Event,
    Finished,
    ModelError,
    ModelRequest,
    Started,
    Text,
    Turn,
    close_clients,
    stream,
)
from conversations.llm.watchdog import Timeouts
from tests.fakes.openai_server import FakeOpenAI

KEY = "sk-proj-canary-0123456789abcdef"
SHORT = Timeouts(first_event=5, between_events=5, tool=5, total=20)


@pytest.fixture(scope="session")
def fake_server() -> Iterator[FakeOpenAI]:
    with FakeOpenAI(delay_ms=0) as started:
        yield started


@pytest.fixture
def fake(fake_server: FakeOpenAI, settings: Settings) -> FakeOpenAI:
    fake_server.reset()
    settings.OPENAI_API_KEY = KEY
    settings.OPENAI_BASE_URL = fake_server.base_url
    settings.OPENAI_BACKGROUND = False
    return fake_server


@dataclass
class Answer:
    """All that came out of one call."""

    events: list[Event] = field(default_factory=list)
    error: ModelError | None = None

    @property
    def text(self) -> str:
        return "".join(event.text for event in self.events if isinstance(event, Text))

    @property
    def started(self) -> Started:
        assert isinstance(self.events[0], Started)
        return self.events[0]

    @property
    def activities(self) -> list[str]:
        return [event.line for event in self.events if isinstance(event, Activity)]

    @property
    def finished(self) -> Finished:
        assert self.error is None, self.error
        assert isinstance(self.events[-1], Finished)
        assert sum(isinstance(event, Finished) for event in self.events) == 1
        return self.events[-1]

    @property
    def failed(self) -> ModelError:
        assert self.error is not None, self.events
        assert not any(isinstance(event, Finished) for event in self.events)
        return self.error


Ask = Callable[..., Answer]
"""Asks the model under a scenario."""


def make_request(prompt: str = "Hello", **more: Any) -> ModelRequest:
    return ModelRequest(**{"model": "gpt-4o", "instructions": "", "turns": (Turn("user", prompt),), **more})


async def collect(events: AsyncIterator[Event]) -> Answer:
    answer = Answer()
    try:
        async for event in events:
            answer.events.append(event)
    except ModelError as error:
        answer.error = error
    return answer


def run[T](work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run the work on an event loop of its own and leave no connection behind."""

    async def run_and_close() -> T:
        try:
            return await work()
        finally:
            await close_clients()

    return asyncio.run(run_and_close())


@pytest.fixture
def ask(fake: FakeOpenAI) -> Ask:
    """Ask the model under a scenario and collect the whole answer."""

    def ask_under(timeouts: Timeouts = SHORT, /, **scenario: Any) -> Answer:
        fake.script([scenario])
        return run(lambda: collect(stream(make_request(), timeouts=timeouts)))

    return ask_under
