"""What the tests of sending share with those of the live side: a fake OpenAI, and tables of jobs that end empty."""

from tests.live.conftest import fake_process, no_jobs, openai

__all__ = ["fake_process", "no_jobs", "openai"]
