"""A copy of the checkout that `make run` can be run in."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.run.launcher import Launcher, copy_checkout


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkout in a folder whose name is hard on shells, on configuration files, and on paths of sockets."""
    return copy_checkout(tmp_path_factory.mktemp("run") / f'it\'s a "long" 100% #1 name {"x" * 60}')


@pytest.fixture(scope="module")
def first_start(copy: Path) -> Iterator[Launcher]:
    """`make run` in that copy for the first time; ended after the module's tests."""
    launcher = Launcher(copy).start()
    yield launcher.wait_served()
    launcher.close()
