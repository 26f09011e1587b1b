"""What the tests of the chat and of the OpenAI-compatible door share with those of the live side."""

from tests.live.conftest import fake_process, no_jobs, openai

__all__ = ["fake_process", "no_jobs", "openai"]
