"""The running application, for tests that look at processes."""

import contextlib
import os
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql

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
    with running_site(os.environ["DATABASE_URL"], openai) as site:
        yield site


@pytest.fixture
def own_site(own_cluster: Cluster, openai: FakeOpenAI) -> Iterator[Site]:
    """A site of one test's own on the database server of its module, for tests that stop or kill things."""
    with running_site(own_cluster.url, openai) as site:
        yield site


@contextlib.contextmanager
def running_site(server: str, openai: FakeOpenAI, extra: dict[str, str] | None = None) -> Iterator[Site]:
    """A site on a new database of a server, and with a new folder; nothing of it is left."""
    name = f"site_{uuid.uuid4().hex[:12]}"
    address = urlsplit(server)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    with tempfile.TemporaryDirectory(prefix="verbatim-site-") as folder:
        site = Site(address._replace(path=f"/{name}").geturl(), openai.base_url, Path(folder), extra=extra or {})
        try:
            site.prepare()
            site.start_web()
            site.start_worker()
            yield site
        finally:
            site.stop()
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
