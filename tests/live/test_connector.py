"""The worker's connection to PostgreSQL outlasts an outage, and nothing else."""

import asyncio

import psycopg
import pytest
from procrastinate.exceptions import ConnectorException

from conversations.live.connector import _outlast


def fault(cause: Exception) -> ConnectorException:
    error = ConnectorException()
    error.__cause__ = cause
    return error


def test_d2_a_statement_is_tried_until_the_database_is_back() -> None:
    faults = [fault(psycopg.OperationalError("away")), fault(psycopg.errors.AdminShutdown("restart"))]

    async def statement() -> str:
        if faults:
            raise faults.pop()
        return "done"

    assert asyncio.run(_outlast(statement)) == "done"
    assert faults == []


def test_a_statement_that_is_wrong_is_not_tried_again() -> None:
    tries: list[int] = []

    async def statement() -> None:
        tries.append(1)
        raise fault(psycopg.errors.RaiseException("Job was not found"))

    with pytest.raises(ConnectorException):
        asyncio.run(_outlast(statement))
    assert len(tries) == 1
