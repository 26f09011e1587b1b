"""The running application, for tests that look at processes."""

import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from chatapp.embedded.postgres import Cluster
from tests.fakes.process import FakeOpenAI
from tests.system.site import Site


@pytest.fixture(scope="session")
def openai() -> Iterator[FakeOpenAI]:
    with FakeOpenAI(tokens=30, delay_ms=5) as fake:
        yield fake


@pytest.fixture(scope="session")
def site(openai: FakeOpenAI) -> Iterator[Site]:
    """One web and one worker process, shared by the tests that leave them running."""
    import os

    server = os.environ["DATABASE_URL"]
    name = f"site_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')  # type: ignore[call-overload]
    with tempfile.TemporaryDirectory(prefix="verbatim-site-") as folder:
        site = Site(_url(server, name), openai.base_url, Path(folder))
        try:
            site.prepare()
            site.start_web()
            site.start_worker()
            yield site
        finally:
            site.stop()
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')  # type: ignore[call-overload]


@pytest.fixture
def own_site(cluster: Cluster, openai: FakeOpenAI, tmp_path: Path) -> Iterator[Site]:
    """A site on a database server of its own, for tests that stop or kill things. Web and worker are running."""
    cluster.start()
    site = Site(cluster.url, openai.base_url, tmp_path)
    try:
        site.prepare()
        site.start_web()
        site.start_worker()
        yield site
    finally:
        site.stop()


def _url(server: str, database: str) -> str:
    head, _, _ = server.rpartition("/")
    return f"{head}/{database}"
