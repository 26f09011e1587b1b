"""The small style sheets and scripts that most pages need, gathered into one file of each kind.

A page asks for five files in place of forty-odd, and a first visit takes about half the time. The parts stay what is
edited and read. Gathering is a step of `collectstatic`, so there is nothing to install and nothing to build.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import Storage
from servestatic.storage import CompressedManifestStaticFilesStorage

_STYLES = (
    "tokens base controls gate layout menus rail find lines selection question thread versions prose code composer"
    " concluding attachments chips attach feedback usage charts print exports"
)
_SCRIPTS = (
    "storage composer attach bring drafts versions copy scroll live announce seen shortcuts notices print times"
    " rail-news selection"
)
BUNDLES: Mapping[str, tuple[str, ...]] = {
    "css/app.css": tuple(f"css/{name}.css" for name in _STYLES.split()),
    "js/first.js": ("js/theme.js", "js/rail.js"),  # loaded before the first paint
    "js/app.js": tuple(f"js/{name}.js" for name in _SCRIPTS.split()),
}
"""Which files each bundle holds, in their order: in style sheets the later rule wins."""


class BundlingStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # it has no types
    """Static files with hashes in their names and packed, the bundles among them."""

    def post_process(self, paths: dict[str, tuple[Storage, str]], **options: Any) -> Iterator[Any]:
        """Write the bundles, then treat them as all other files. Raise FileNotFoundError where a part is missing."""
        if not options.get("dry_run"):
            for name, parts in BUNDLES.items():
                content = "".join(_wrapped(name, _read(paths, part)) for part in parts)
                self.delete(name)
                self.save(name, ContentFile(content.encode()))
                paths[name] = (self, name)
        yield from super().post_process(paths, **options)


def _read(paths: Mapping[str, tuple[Storage, str]], part: str) -> str:
    if part not in paths:
        raise FileNotFoundError(f"A bundle of chatapp/bundles.py wants {part}, which no folder of static files has.")
    storage, path = paths[part]
    with storage.open(path) as file:
        return str(file.read().decode())


def _wrapped(bundle: str, content: str) -> str:
    """Let the scripts after one that fails still run. One that cannot be parsed keeps them all from running."""
    return f"try {{\n{content}\n}} catch (error) {{\n  reportError(error);\n}}\n" if bundle.endswith(".js") else content
