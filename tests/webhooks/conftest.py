"""A listener on this machine, which the setting allows."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path

import pytest
from pytest_django import Settings

from tests.fakes.folder import FilesFolder
from tests.fakes.listener import Listener


@pytest.fixture(autouse=True)
def folder(settings: Settings, tmp_path: Path) -> FilesFolder:
    return FilesFolder(settings, tmp_path)


@pytest.fixture
def allowed(settings: Settings) -> None:
    """Deliveries may go to this machine."""
    settings.WEBHOOK_ALLOWED_NETWORKS = [ip_network("127.0.0.0/8")]


@pytest.fixture
def listener(allowed: None) -> Iterator[Listener]:
    with Listener() as listener:
        yield listener
