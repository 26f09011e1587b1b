"""The example front ends as they run, each a process of its own, in front of a site with a fake OpenAI."""

from __future__ import annotations

import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from chatapp.embedded.ports import find_free_port
from tests.system.conftest import browser, openai, site
from tests.system.site import ROOT, Site, wait_for

__all__ = ["browser", "openai", "site"]

PROGRAMS = ROOT / ".venv-examples" / "bin"


@pytest.fixture(scope="session")
def programs() -> Path:
    """Where the programs of the examples' own environment are; it is made where it is missing."""
    subprocess.run(["sh", ".ci/examples"], cwd=ROOT, check=True)
    return PROGRAMS


@pytest.fixture(scope="module")
def token(site: Site) -> str:
    """A token of somebody's, made as administrators make them."""
    site.sign_in("anna")
    made = subprocess.run(
        [sys.executable, "manage.py", "create_token", "anna", "--name", "Example", "--scopes", "read,write"],
        cwd=ROOT,
        env=site.environment,
        check=True,
        capture_output=True,
        text=True,
    )
    return made.stdout.strip()


@pytest.fixture(scope="module")
def streamlit(site: Site, token: str, programs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the Streamlit front end."""
    port = find_free_port()
    options = {"headless": "true", "port": str(port), "address": "127.0.0.1", "fileWatcherType": "none"}
    command = [str(programs / "streamlit"), "run", "examples/streamlit_app.py", "--browser.gatherUsageStats=false"]
    command += [f"--server.{name}={value}" for name, value in options.items()]
    with _running(command, site, token, tmp_path_factory.mktemp("streamlit"), port) as address:
        yield address


@pytest.fixture(scope="module")
def gradio(site: Site, token: str, programs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the Gradio front end."""
    port = find_free_port()
    command = [str(programs / "python"), "examples/gradio_app.py"]
    with _running(command, site, token, tmp_path_factory.mktemp("gradio"), port) as address:
        yield address


@contextmanager
def _running(command: list[str], site: Site, token: str, home: Path, port: int) -> Iterator[str]:
    inherited = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    environment = inherited | {
        "HOME": str(home),
        "VERBATIM_URL": site.url,
        "VERBATIM_TOKEN": token,
        "PORT": str(port),
        "GRADIO_ANALYTICS_ENABLED": "False",
        "HF_HUB_OFFLINE": "1",
    }
    address = f"http://127.0.0.1:{port}"
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT)
    try:
        wait_for(lambda: _answers(address), seconds=90, what=f"{command[0]}: {(home / 'log').read_text()[-500:]}")
        yield address
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=5) as response:
            return bool(response.status == 200)
    except OSError:
        return False
