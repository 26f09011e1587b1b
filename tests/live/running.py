"""The worker's live side on an event loop of a test's own."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import psycopg
from django.db import connection

from conversations.live.answer import write_answer
from conversations.live.database import in_database
from conversations.live.recorder import recorder
from conversations.llm import close_clients
from conversations.models import Message


@asynccontextmanager
async def writing(answer: Message, *, is_stopped: bool = False) -> AsyncIterator[asyncio.Task[None]]:
    """A worker's task that writes the answer; nothing of it is left behind."""
    task = asyncio.create_task(write_answer(answer.pk, is_stopped=lambda: is_stopped))
    try:
        yield task
    finally:
        task.cancel()
        with suppress(BaseException):
            await task
        await recorder()._drop_connection()
        await close_clients()


async def until(condition: Callable[[], Any], *, seconds: float = 20) -> Any:
    """Wait until something is so, looked at in a thread of the database."""
    async with asyncio.timeout(seconds):
        while not (found := await in_database(condition)):
            await asyncio.sleep(0.02)
    return found


def other_connection() -> psycopg.Connection[tuple[Any, ...]]:
    """A connection to the test's database that is not Django's, in autocommit mode."""
    settings = connection.settings_dict
    return psycopg.connect(
        host=settings["HOST"],
        port=settings["PORT"],
        user=settings["USER"],
        password=settings["PASSWORD"],
        dbname=settings["NAME"],
        autocommit=True,
    )


def ask(query: str, *parameters: object) -> list[Any]:
    """Read or write the test's database over a connection of its own, from any thread."""
    with other_connection() as other:
        cursor = other.execute(query, parameters)
        return cursor.fetchall() if cursor.description else []
