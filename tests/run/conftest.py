"""A copy of the checkout that `make run` can be run in."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.run.launcher import Launcher, copy_checkout


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The checkout in a folder whose name is hard on shells and on paths of sockets."""
    return copy_checkout(tmp_path / f'it\'s a "long" 100% name {"x" * 60}')


@pytest.fixture
def make_run(copy: Path) -> Iterator[Callable[..., Launcher]]:
    """Start `make run` in the copy, with the variables given; all of it is ended after the test."""
    launchers: list[Launcher] = []

    def start(**variables: str) -> Launcher:
        launchers.append(Launcher(copy, **variables))
        return launchers[-1].start()

    yield start
    for launcher in launchers:
        launcher.close()
