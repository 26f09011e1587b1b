"""What load balancers are told."""

import pytest
from django.db import DatabaseError, InterfaceError
from django.test import Client

from conversations.views import health


@pytest.mark.parametrize("error", [DatabaseError, InterfaceError], ids=["refused", "closed"])
def test_a_database_that_is_away_is_told(monkeypatch: pytest.MonkeyPatch, error: type[Exception]) -> None:
    def away(*_: object) -> None:
        raise error

    monkeypatch.setattr(health, "MigrationExecutor", away)
    response = Client().get("/readyz")
    assert (response.status_code, response.json()["database"]) == (503, "away")
