"""Services called from async code, while the database is away."""

import asyncio

import pytest
from django.db import InterfaceError, OperationalError

from conversations.live import database


@pytest.mark.parametrize("error", [OperationalError, InterfaceError], ids=["lost", "closed"])
def test_a_service_is_tried_again_until_the_database_is_back(
    monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    monkeypatch.setattr(database, "RETRY_SECONDS", 0.01)
    outage = [error("away"), error("away")]

    def service(*, number: int) -> int:
        if outage:
            raise outage.pop()
        return number

    assert asyncio.run(database.in_database_patiently(service, number=7)) == 7


def test_patience_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "RETRY_SECONDS", 0.01)
    monkeypatch.setattr(database, "OUTAGE_SECONDS", 0.05)

    def service() -> None:
        raise OperationalError

    with pytest.raises(OperationalError):
        asyncio.run(database.in_database_patiently(service))
