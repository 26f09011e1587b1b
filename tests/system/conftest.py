"""The running application, for tests that look at processes, and a browser for those that look at pages."""

import contextlib
import os
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from playwright.sync_api import Browser, Page
from psycopg import sql

from chatapp.embedded import child
from chatapp.embedded.postgres import Cluster
from tests.fakes.process import FakeOpenAI
from tests.prepared import address, alone, copy, migrated, once
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


@pytest.fixture(scope="module")
def own_cluster(tmp_path_factory: pytest.TempPathFactory, openai: FakeOpenAI) -> Iterator[Cluster]:
    """A running database server of one module's own, on which sites begin as fast as on the one that all share."""
    cluster = Cluster(tmp_path_factory.mktemp("own") / "clu ster", durable=False, can_create_databases=True)
    cluster.directory.mkdir()
    # With its owner. What is not copied, the address, is made anew: another port, another password.
    subprocess.run(["cp", "-a", _prepare_server(openai).data, cluster.data], check=True)
    child.let_through(cluster.data)
    cluster.start()
    yield cluster
    cluster.stop("immediate")


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
    visitor = Visitor(browser, site, f"visitor-{abs(hash(request.node.nodeid))}")
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
            site = Site(make, openai.base_url, static.parent, static=static)
            site.make_rows()
            if not static.exists():
                site.collect_static()
    return static


def _prepare_server(openai: FakeOpenAI) -> Cluster:
    """Make the server that others begin as copies of, once; it does not run, and has what sites are copies of."""
    cluster = Cluster(Path(os.environ["VAR_DIR"]) / "server", durable=False, can_create_databases=True)
    made = cluster.directory / "made"
    with alone("server"):
        if not made.exists():
            cluster.start()
            _prepare(cluster.url, openai)
            cluster.stop()
            made.touch()
    return cluster


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
