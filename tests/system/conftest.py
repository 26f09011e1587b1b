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

from chatapp.embedded.postgres import find_binaries
from tests.fakes.process import FakeOpenAI
from tests.prepared import address, copy, drop, migrated, once
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
    if server != os.environ["DATABASE_URL"]:
        _prepare(os.environ["DATABASE_URL"], openai)
        with once(server, _TEMPLATE, template="template1") as make:
            if make:
                _fill(make)
        return static
    with once(server, _TEMPLATE, template=migrated(server)) as make:
        if make:
            static.parent.mkdir(parents=True, exist_ok=True)
            site = Site(make, openai.base_url, static.parent, static=static)
            site.make_rows()
            site.collect_static()
    return static


def _fill(database: str) -> None:
    """Have another server's database hold what sites are copies of on the server of this run."""
    programs = find_binaries()
    with _copied(os.environ["DATABASE_URL"]) as source:
        dump = [str(programs / "pg_dump"), "--no-owner", "--no-comments", source]
        content = subprocess.run(dump, check=True, capture_output=True).stdout
    restore = [str(programs / "psql"), "--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1", database]
    subprocess.run(restore, input=content, check=True, stdout=subprocess.DEVNULL)


@contextlib.contextmanager
def _copied(server: str) -> Iterator[str]:
    """The address of a new database of a server, which is gone afterwards, with what all sites begin with."""
    name = f"site_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as connection:
        copy(connection, name, template=_TEMPLATE)
    yield address(server, name)
    with psycopg.connect(server, autocommit=True) as connection:
        drop(connection, name)


@contextlib.contextmanager
def running_site(server: str, openai: FakeOpenAI, extra: dict[str, str] | None = None) -> Iterator[Site]:
    """A site on a new database of a server, and with a new folder; nothing of it is left."""
    static = _prepare(server, openai)
    with _copied(server) as database, tempfile.TemporaryDirectory(prefix="verbatim-site-") as folder:
        site = Site(database, openai.base_url, Path(folder), extra=extra or {}, static=static)
        try:
            site.start_web()
            site.start_worker()
            yield site
        finally:
            site.stop()
