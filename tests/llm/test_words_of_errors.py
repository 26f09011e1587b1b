"""What a person is told."""

import pytest

from conversations.llm import ModelError
from conversations.llm.errors import MESSAGES


@pytest.mark.parametrize("code", list(MESSAGES))
def test_every_error_names_the_next_step(code: str) -> None:
    message = ModelError(code).message.lower()
    assert any(step in message for step in ("retry", "shorten", "rephrase", "change", "choose"))


@pytest.mark.parametrize(("seconds", "told"), [(20, "Retry in 20 seconds."), (600, "Retry in 10 minutes.")])
def test_u1_a_rate_limit_tells_its_wait(seconds: float, told: str) -> None:
    assert told in ModelError("rate_limited", retry_after=seconds).message
