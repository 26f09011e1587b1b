"""A program with a token that asks the API in this process, and a worker beside it."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.test import AsyncClient

from accounts.access import Scope
from accounts.models import Token, User
from accounts.tokens import make_token
from conversations.live.answer import write_answer
from conversations.live.database import in_database
from conversations.live.recorder import recorder
from conversations.llm import close_clients
from conversations.models import Assistant, Message
from tests.factories import make_assistant, make_model, make_user
from tests.sending.reading import run

SSE = "text/event-stream"


@dataclass
class Answer:
    """What came back; of a stream its events, as far as they were read."""

    status: int
    headers: Mapping[str, str]
    body: Any = None
    events: list[Event] = field(default_factory=list)

    @property
    def code(self) -> str:
        """The code of a problem, once it is seen to be one."""
        assert self.headers["Content-Type"] == "application/problem+json", self
        assert self.body["status"] == self.status
        return str(self.body["code"])

    def data(self, name: str) -> list[Any]:
        """Return what the events of one name brought."""
        return [event.data for event in self.events if event.name == name]

    def text(self, before: str = "") -> str:
        """Return what a client has that does what the contract says of `text`."""
        for one in self.data("text"):
            before = before[: one["start"]] + one["text"]
        return before


@dataclass(frozen=True)
class Event:
    name: str
    data: Any
    id: str | None

    @classmethod
    def parse(cls, chunk: str) -> Event | None:
        """Read an event as a browser does; None for comments and what carries no data."""
        lines = [line.partition(": ")[::2] for line in chunk.strip().split("\n") if not line.startswith(":")]
        fields = dict(lines)
        if "data" not in fields:
            return None
        return cls(fields["event"], json.loads(fields["data"]), fields.get("id"))


@dataclass
class Program:
    """Somebody's program."""

    owner: User
    token: Token
    secret: str
    assistant: Assistant

    @classmethod
    def of(cls, owner: User | None = None, *, scopes: tuple[Scope, ...] = (Scope.READ, Scope.WRITE)) -> Program:
        owner = owner or make_user()
        make_model()
        token, secret = make_token(owner=owner, name="A program", scopes=scopes)
        return cls(owner, token, secret, make_assistant())

    async def post(
        self,
        address: str,
        body: Any = None,
        *,
        accept: str = "",
        until: Callable[[Event], bool] | None = None,
        **headers: str,
    ) -> Answer:
        """POST JSON; header names have underscores for hyphens. Of a stream all is read, or up to an event."""
        client = AsyncClient(raise_request_exception=False)
        given = self._headers(accept, headers)
        sent = await client.post(address, body or {}, content_type="application/json", headers=given)
        return await _read(sent, until)

    async def get(
        self, address: str, *, accept: str = "", until: Callable[[Event], bool] | None = None, **headers: str
    ) -> Answer:
        client = AsyncClient(raise_request_exception=False)
        return await _read(await client.get(address, headers=self._headers(accept, headers)), until)

    def _headers(self, accept: str, more: Mapping[str, str]) -> dict[str, str]:
        given = {"Authorization": f"Bearer {self.secret}"} | {name.replace("_", "-"): more[name] for name in more}
        return given | ({"Accept": accept} if accept else {})


async def _read(response: Any, until: Callable[[Event], bool] | None) -> Answer:
    if not response.streaming:
        body = json.loads(response.content) if response.content else None
        return Answer(response.status_code, response.headers, body)
    answer = Answer(response.status_code, response.headers)
    chunks = response.streaming_content
    async for chunk in chunks:
        event = Event.parse(chunk.decode())
        if event is not None:
            answer.events.append(event)
            if until is not None and until(event):
                break
    await chunks.aclose()
    return answer


@contextlib.asynccontextmanager
async def worker() -> AsyncIterator[None]:
    """Answer whatever waits for an answer, as the worker process does."""
    tasks: dict[Any, asyncio.Task[None]] = {}

    def is_over() -> bool:
        return False

    async def look() -> None:
        while True:
            for answer_id in await in_database(_queued):
                if answer_id not in tasks:
                    tasks[answer_id] = asyncio.create_task(write_answer(answer_id, is_stopped=is_over))
            await asyncio.sleep(0.02)

    looking = asyncio.create_task(look())
    try:
        yield
    finally:
        for task in (looking, *tasks.values()):
            task.cancel()
        await asyncio.gather(looking, *tasks.values(), return_exceptions=True)
        await recorder()._drop_connection()
        await close_clients()


def _queued() -> list[Any]:
    return list(Message.objects.filter(status=Message.Status.QUEUED).values_list("pk", flat=True))


def at_work[Result](work: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
    """Run something while a worker is there."""

    async def whole() -> Result:
        async with worker():
            return await work()

    return run(whole)
