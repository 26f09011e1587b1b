"""The live side in this process, with a fake OpenAI."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from tests.fakes.folder import FilesFolder
from tests.fakes.process import FakeOpenAI


@pytest.fixture(scope="session")
def fake_process() -> Iterator[FakeOpenAI]:
    with FakeOpenAI(delay_ms=0) as started:
        yield started


@pytest.fixture
def openai(fake_process: FakeOpenAI, settings: Settings) -> FakeOpenAI:
    fake_process.reset()
    settings.OPENAI_BASE_URL = fake_process.base_url
    settings.OPENAI_BACKGROUND = False
    return fake_process


@pytest.fixture
def no_jobs(transactional_db: None) -> Iterator[None]:
    """Procrastinate's tables are not Django's, and so are not emptied after a test that commits."""
    from tests.live.running import ask  # models load after this file does

    tables = "procrastinate_jobs, procrastinate_workers"
    ask(f"TRUNCATE {tables} CASCADE")
    yield
    ask(f"TRUNCATE {tables} CASCADE")


@pytest.fixture
def files(no_jobs: None, folder: FilesFolder, monkeypatch: pytest.MonkeyPatch) -> FilesFolder:
    """Storage of a test's own, in which files are put again soon after it failed."""
    from conversations.live import made_files

    monkeypatch.setattr(made_files, "RETRY_PAUSES", (0.2,) * 4)
    return folder
