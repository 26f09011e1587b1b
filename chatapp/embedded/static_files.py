"""Gathers the static files where the web processes serve them from, when they are not there already."""

import hashlib
import io
from importlib.metadata import version
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.contrib.staticfiles.storage import ManifestFilesMixin, staticfiles_storage
from django.core.management import call_command

from chatapp import bundles

_PACKAGES = ("django", "servestatic")  # which say how a file is named and packed


def gather(stamp: Path) -> None:
    """Run `collectstatic`, unless `stamp` tells that it gathered exactly these files there the last time.

    That takes longer than all the rest of a start. Names, sizes and times of files are compared, not what they hold.
    """
    wanted = _digest()
    is_there = staticfiles_storage.exists(ManifestFilesMixin.manifest_name)
    if is_there and stamp.exists() and stamp.read_text() == wanted:
        return
    stamp.unlink(missing_ok=True)
    call_command("collectstatic", interactive=False, verbosity=0, stdout=io.StringIO())
    stamp.write_text(wanted)


def _digest() -> str:
    digest = hashlib.sha256(f"{settings.STATIC_ROOT} {[version(name) for name in _PACKAGES]}".encode())
    digest.update(Path(bundles.__file__).read_bytes())  # what is joined, and how
    for finder in get_finders():
        for name, storage in finder.list([]):
            found = Path(storage.path(name)).stat()
            digest.update(f"\0{name} {found.st_size} {found.st_mtime_ns}".encode())
    return digest.hexdigest()
