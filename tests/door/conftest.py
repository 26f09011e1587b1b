"""What the tests of the chat and of the OpenAI-compatible door share with those of the live side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.live.conftest import fake_process, no_jobs, openai

if TYPE_CHECKING:
    from tests.sending.asking import Program

__all__ = ["fake_process", "no_jobs", "openai"]


@pytest.fixture
def program(transactional_db: None) -> Program:
    """A program of somebody who may use an assistant called general."""
    from tests.factories import make_assistant  # needs the settings, which come after this file
    from tests.sending.asking import Program

    program = Program.of()
    make_assistant(slug="general", instructions="Be brief.")
    return program
