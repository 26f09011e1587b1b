"""The database, seen from async code.

Services are plain functions on Django's connections, so they run in a few threads of our own: asgiref's single
thread would let one slow statement hold up every answer. What is written or read many times a second (live text)
goes over an async connection of its own.
"""

import asyncio
import functools
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
from django.db import connections
from procrastinate.contrib.django.utils import connector_params

from conversations.outages import AWAY

logger = logging.getLogger(__name__)

OUTAGE_SECONDS = 90.0  # how long an answer waits for a database that is away; what has arrived stays in memory
RETRY_SECONDS = 0.5

_threads = ThreadPoolExecutor(max_workers=8, thread_name_prefix="database")


async def in_database[Result](function: Callable[..., Result], **arguments: object) -> Result:
    """Run a service in a thread and give its connection back to the pool afterwards."""

    def call() -> Result:
        try:
            return function(**arguments)
        finally:
            connections.close_all()

    return await asyncio.get_running_loop().run_in_executor(_threads, call)


async def in_database_patiently[Result](function: Callable[..., Result], **arguments: object) -> Result:
    """Like `in_database`, and try again for up to OUTAGE_SECONDS while the database is away.

    Only for services that are conditional on the state they change: the answer to a commit may be lost.
    """
    loop = asyncio.get_running_loop()
    give_up_at = loop.time() + OUTAGE_SECONDS
    while True:
        try:
            return await in_database(function, **arguments)
        except AWAY:
            if loop.time() > give_up_at:
                raise
            logger.warning("The database is away; %s is tried again.", _name(function))
            await asyncio.sleep(RETRY_SECONDS)


def _name(function: Callable[..., object]) -> str:
    return getattr(function.func if isinstance(function, functools.partial) else function, "__name__", "it")


async def connect(purpose: str) -> psycopg.AsyncConnection[tuple[Any, ...]]:
    """Open an async connection in autocommit mode, named after its purpose in pg_stat_activity.

    The socket's own limits make a database that vanished without a word show as lost within seconds.
    """
    parameters = connector_params()
    return await psycopg.AsyncConnection.connect(
        **parameters
        | {
            "autocommit": True,
            "application_name": f"verbatim {purpose}",
            "prepare_threshold": 0,
            "connect_timeout": 5,
            "keepalives_idle": 10,
            "tcp_user_timeout": 10_000,
        }
    )
