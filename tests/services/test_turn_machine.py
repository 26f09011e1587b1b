"""Whatever people, workers and the rescue do, in whatever order: the record keeps its promises after every step."""

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import (
    run_state_machine_as_test,
)

from tests.services.turns import Turns

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.slow
def test_every_order_of_events_keeps_the_record_true() -> None:
    run_state_machine_as_test(
        Turns,
        settings=settings(
            max_examples=18,
            stateful_step_count=20,
            deadline=None,
            derandomize=True,
            phases=[Phase.generate],  # each step is a few queries; shrinking a failure would take minutes
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
