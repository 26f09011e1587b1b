"""Procrastinate's connection to PostgreSQL, made to outlast an outage of the database."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, override

import procrastinate
from procrastinate.connector import BaseAsyncConnector, Notify
from procrastinate.contrib.django.django_connector import DjangoConnector
from procrastinate.contrib.django.utils import connector_params
from procrastinate.exceptions import ConnectorException
from psycopg import AsyncConnection, OperationalError
from psycopg_pool import AsyncConnectionPool

logger = logging.getLogger(__name__)

RETRY_SECONDS = 0.5


class PatientConnector(procrastinate.PsycopgConnector):
    """Waits for a database that is away, however long, where Procrastinate's own would end the worker at once.

    A worker that ended would only be started again, to fail again; and a job whose end is not told to a database that
    comes back a moment too late would count as running as long as its worker lives.

    A statement whose answer was lost may run twice. Each of the worker's statements can bear that: a job that was
    fetched without our knowing is found by the rescue of stalled answers.
    """

    def __init__(self, **kwargs: Any) -> None:
        # Short, because a pool backs off ever longer between its own attempts; waiting is done in `_outlast`.
        super().__init__(timeout=5, reconnect_timeout=5, max_size=6, pool_factory=_pool, configure=_configure, **kwargs)

    @override
    async def execute_query_async(self, query: Any, **arguments: Any) -> None:
        await _outlast(lambda: super(PatientConnector, self).execute_query_async(query, **arguments))

    @override
    async def execute_query_one_async(self, query: Any, **arguments: Any) -> dict[str, Any]:
        return await _outlast(lambda: super(PatientConnector, self).execute_query_one_async(query, **arguments))

    @override
    async def execute_query_all_async(self, query: Any, **arguments: Any) -> list[dict[str, Any]]:
        return await _outlast(lambda: super(PatientConnector, self).execute_query_all_async(query, **arguments))

    @override
    async def listen_notify(self, on_notification: Notify, channels: Iterable[str]) -> None:
        channels = list(channels)
        await _outlast(lambda: super(PatientConnector, self).listen_notify(on_notification, channels))


def _pool(**arguments: Any) -> AsyncConnectionPool:
    """Make the pool without a look at each connection before its use: `_outlast` tries again with another one."""
    return AsyncConnectionPool(**arguments | {"check": None})


async def _configure(connection: AsyncConnection[Any]) -> None:
    """Save a job's bookkeeping two round trips and a wait for the disk.

    PostgreSQL then may forget, in a crash, what became of a job in the last moment. The rescue sees to that; what an
    answer says and how it stands is committed elsewhere.
    """
    await connection.set_autocommit(True)
    await connection.execute("SET synchronous_commit = off")


async def _outlast[Result](statement: Callable[[], Awaitable[Result]]) -> Result:
    while True:
        try:
            return await statement()
        except ConnectorException as error:
            if not _is_connection_lost(error):
                raise
            logger.warning("The database is away; trying again.")
            await asyncio.sleep(RETRY_SECONDS)


def _is_connection_lost(error: ConnectorException) -> bool:
    return isinstance(error.__cause__, OperationalError)


class PatientDjangoConnector(DjangoConnector):
    """Django's connection for deferring jobs, and a `PatientConnector` for the worker."""

    @override
    def get_worker_connector(self) -> BaseAsyncConnector:
        return PatientConnector(kwargs=connector_params(self.alias))


def install(app: procrastinate.App) -> None:
    """Give Procrastinate's app our connector (setting PROCRASTINATE_ON_APP_READY).

    Its look after Django's connections, two changes of thread for each job, is not needed: every task goes through
    `database.in_database`, which gives them back.
    """
    app.connector = PatientDjangoConnector()
    app.job_manager.connector = app.connector
    app.worker_defaults["task_middleware"] = []
