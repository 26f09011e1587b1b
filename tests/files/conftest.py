"""A function that puts bytes into a file."""

from collections.abc import Callable
from pathlib import Path

import pytest

type Put = Callable[[str, bytes], Path]


@pytest.fixture
def put(tmp_path: Path) -> Put:
    """Write bytes into a new file with this extension or name and return its path."""

    def write(name: str, content: bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return write
