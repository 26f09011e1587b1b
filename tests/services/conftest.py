"""What the tests of services share."""

import pytest


@pytest.fixture(autouse=True)
def _no_earlier_jobs(db: None) -> None:
    """Procrastinate's tables are not Django's: what a test that commits leaves in them stays for the next ones."""
    from tests.services.calls import sql  # models load after this file does

    sql("DELETE FROM procrastinate_jobs")
