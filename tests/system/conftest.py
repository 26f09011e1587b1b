"""The running application, for tests that look at processes, and a browser for those that look at pages."""

import contextlib
import os
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from playwright.sync_api import Browser, Page
from psycopg import sql

from chatapp.embedded.postgres import Cluster
from tests.fakes.process import FakeOpenAI
from tests.prepared import address, copy, migrated, once
from tests.system.browser import Visitor, chromium
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


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def visitor(browser: Browser, site: Site, request: pytest.FixtureRequest) -> Iterator[Visitor]:
    """A person of one test's own."""
    visitor = Visitor(browser, site, f"visitor-{abs(hash(request.node.name))}")
    yield visitor
    visitor.context.close()


@pytest.fixture
def page(visitor: Visitor) -> Page:
    page = visitor.open("/conversations/")
    page.wait_for_load_state()
    return page


@pytest.fixture(scope="module")
def takes_everything(site: Site) -> None:
    """Have the models of the site take files of every kind."""
    site.sql("UPDATE conversations_languagemodel SET accepts_images = true, accepts_files = true")


_TEMPLATE = "site_template"


def _prepare(server: str, openai: FakeOpenAI) -> Path:
    """Make the database that all sites of a server are copies of, once, and the static files that they share.

    Whichever test process comes first does it; the others wait for it. Return the folder of the static files.
    """
    static = Path(os.environ["VAR_DIR"]) / "sites" / "static"
    with once(server, _TEMPLATE, template=migrated(server)) as make:
        if make:
            static.parent.mkdir(parents=True, exist_ok=True)
            Site(make, openai.base_url, static.parent, static=static).prepare()
    return static


@contextlib.contextmanager
def running_site(server: str, openai: FakeOpenAI, extra: dict[str, str] | None = None) -> Iterator[Site]:
    """A site on a new database of a server, and with a new folder; nothing of it is left."""
    name = f"site_{uuid.uuid4().hex[:12]}"
    static = _prepare(server, openai)
    with psycopg.connect(server, autocommit=True) as connection:
        copy(connection, name, template=_TEMPLATE)
    with tempfile.TemporaryDirectory(prefix="verbatim-site-") as folder:
        site = Site(address(server, name), openai.base_url, Path(folder), extra=extra or {}, static=static)
        try:
            site.start_web()
            site.start_worker()
            yield site
        finally:
            site.stop()
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
