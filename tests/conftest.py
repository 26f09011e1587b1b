"""What every test gets: a PostgreSQL of this run's own, settings that come from here alone, and a fake OpenAI."""

import gc
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from pytest_django import DjangoDbBlocker, Settings

from chatapp.embedded.postgres import Cluster
from tests.fakes.folder import FilesFolder
from tests.prepared import migrated

# What a developer's shell or .env may hold and a test must not see.
_FOREIGN = (
    "AWS_",
    "OIDC_",
    "OPENAI_",
    "ADMIN_",
    "PUBLIC_URL",
    "DEBUG",
    "ALLOWED_HOSTS",
    "CSRF_",
    "CORS_",
    "TRUSTED_",
    "WEBHOOK_",
)
_HEAVY = ("system", "run", "examples")
_PATIENT = ("test_killed_processes.py", "test_database_outages.py")  # they wait for minutes, beside those that work
# Sites, browsers, an S3 server, a company's sign-in, the program that looks into files.
_PROGRAMS = ("system", "examples", "storage", "company", "files")
# The main job in a browser and on running processes, whatever ends them: what `make test` has of tests/system.
_MAIN_JOB = (
    *_PATIENT,
    "test_browser_journey.py",
    "test_endings.py",
    "test_turn.py",
)
_folder = pytest.StashKey[Path]()
_cluster = pytest.StashKey[Cluster]()


def pytest_configure(config: pytest.Config) -> None:
    """Start the run's database server once, before the settings load; pytest-xdist's workers inherit its address."""
    if not hasattr(config, "workerinput"):
        _prepare_environment(config)
    os.environ["DJANGO_SETTINGS_MODULE"] = "chatapp.settings"
    # No test asserts a time. Developers try new examples in each run; in CI the same code gets the same verdict.
    hypothesis.settings.register_profile("patient", deadline=None, derandomize="CI" in os.environ)
    hypothesis.settings.load_profile("patient")
    from django.conf import settings

    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    # Without `collectstatic` there is no manifest; pages drawn in this process name the files as they are.
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = settings.STORAGES | {"staticfiles": plain}


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark as slow what works with other programs, but for the main job."""
    if item.path.parent.name in _PROGRAMS and item.path.name not in _MAIN_JOB:
        item.add_marker(pytest.mark.slow)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest, spread files that start programs and browsers among the others, and end with short ones.

    Together they would keep each other waiting, and at the end one process would be left alone with the longest.
    """
    files = dict.fromkeys(item.path for item in items)
    heavy = [file for file in files if file.parent.name in _HEAVY]
    light = [file for file in files if file.parent.name not in _HEAVY]
    place = {file: number / len(light) for number, file in enumerate(light)}
    place |= {file: 0.85 * number / len(heavy) for number, file in enumerate(heavy)}
    place |= {file: -1 for file in heavy if file.name in _PATIENT}
    items.sort(key=lambda item: place[item.path])


def pytest_collection_finish() -> None:
    """Spare the garbage collector thousands of tests and all that they import, which stay until the end."""
    gc.collect()
    gc.freeze()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Write down what failed, one by line, where FAILED_TESTS names a file (see .ci/test)."""
    if path := os.environ.get("FAILED_TESTS"):
        reports = [*terminalreporter.getreports("failed"), *terminalreporter.getreports("error")]
        failed = dict.fromkeys(report.nodeid for report in reports)
        Path(path).write_text("".join(f"{name}\n" for name in failed))


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop what `pytest_configure` started."""
    if _cluster in config.stash:
        config.stash[_cluster].stop()
    if _folder in config.stash:
        shutil.rmtree(config.stash[_folder], ignore_errors=True)


def _prepare_environment(config: pytest.Config) -> None:
    for name in [name for name in os.environ if name.startswith(_FOREIGN)]:
        del os.environ[name]
    config.stash[_folder] = folder = Path(tempfile.mkdtemp(prefix="verbatim-tests-"))
    os.environ["VAR_DIR"] = str(folder / "var")
    os.environ["SECRET_KEY"] = "a key for tests alone, in no way a secret of anybody"
    os.environ["OPENAI_API_KEY"] = "sk-test"
    os.environ["OPENAI_BASE_URL"] = "http://127.0.0.1:9/v1"  # nothing listens there until a test has a fake
    if not os.environ.get("DATABASE_URL"):
        config.stash[_cluster] = cluster = Cluster(folder, durable=False, can_create_databases=True)
        cluster.start()
        os.environ["DATABASE_URL"] = cluster.url


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings: None) -> None:
    """Have the databases of all test processes copied from one that is migrated."""
    from django.conf import settings

    default: Any = settings.DATABASES["default"]
    default.setdefault("TEST", {})["TEMPLATE"] = migrated(os.environ["DATABASE_URL"])


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """Let tests that commit empty the audit table afterwards, which the database of an installation refuses."""
    from django.db import connection

    from tests.emptying import empty_cheaply  # it needs the settings

    with django_db_blocker.unblock():
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE audit_auditevent DISABLE TRIGGER audit_not_truncated")
        empty_cheaply()


@pytest.fixture(scope="module")
def made_once(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[Callable[[Callable[[], Any]], Any]]:
    """Make what all tests of a module start from: in a transaction around theirs, each of which is undone within it.

    For a module whose tests all start from it, and none of which commits.
    """
    from django.db import transaction

    def make(what: Callable[[], Any]) -> Any:
        with django_db_blocker.unblock():
            return what()

    around = transaction.atomic()
    make(around.__enter__)
    yield make
    make(lambda: transaction.set_rollback(True))
    make(lambda: around.__exit__(None, None, None))


@pytest.fixture
def folder(settings: Settings, tmp_path: Path) -> FilesFolder:
    """Storage of a test's own, which it can take away."""
    return FilesFolder(settings, tmp_path)


@pytest.fixture(scope="module")
def own_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A running database server of one test module's own: for tests that stop it, kill it, and start it again."""
    cluster = Cluster(tmp_path_factory.mktemp("own") / "clu ster", durable=False, can_create_databases=True)
    cluster.start()
    yield cluster
    cluster.stop("immediate")
