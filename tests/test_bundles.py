"""Style sheets and scripts gathered into one file of each kind."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings as project
from django.core.management import CommandError, call_command
from pytest_django import Settings

from chatapp.bundles import BUNDLES

STATIC = Path(project.BASE_DIR) / "static"
PARTS = [part for parts in BUNDLES.values() for part in parts]

type Gather = Callable[[], Path]


@pytest.fixture
def gather(settings: Settings, tmp_path: Path) -> Gather:
    """Collect the static files as an installation does; return where they are then."""
    settings.STATIC_ROOT = tmp_path / "static"
    settings.INSTALLED_APPS = ["django.contrib.staticfiles"]
    settings.STORAGES = settings.STORAGES | {"staticfiles": {"BACKEND": "chatapp.bundles.BundlingStorage"}}

    def run() -> Path:
        call_command("collectstatic", interactive=False, verbosity=0)
        return tmp_path / "static"

    return run


def test_each_style_sheet_and_script_is_in_one_bundle_or_asked_for_by_a_page() -> None:
    assert len(set(PARTS)) == len(PARTS)
    files = {path.relative_to(STATIC).as_posix() for path in (*STATIC.rglob("*.css"), *STATIC.rglob("*.js"))}
    pages = "".join(path.read_text() for path in (project.BASE_DIR / "templates").rglob("*.html"))
    pages += "".join(path.read_text() for path in (project.BASE_DIR / "records/admin").glob("*.py"))
    asked_for = set(re.findall(r"(?:css|js)/[\w-]+\.(?:css|js)", pages))
    assert asked_for - set(BUNDLES) <= files
    assert files == set(PARTS) | (asked_for - set(BUNDLES))
    assert set(BUNDLES) <= asked_for


def test_a_bundle_holds_its_parts_in_order_and_is_named_by_what_it_holds(gather: Gather, settings: Settings) -> None:
    folder = gather()
    named = json.loads((folder / "staticfiles.json").read_text())["paths"]
    for name, parts in BUNDLES.items():
        text = (folder / named[name]).read_text()
        assert re.fullmatch(rf"{name.split('.')[0]}\.[0-9a-f]{{12}}\.\w+", named[name])
        assert (folder / f"{named[name]}.gz").exists()
        places = [text.index((STATIC / part).read_text()) for part in parts]
        assert places == sorted(places)

    own = settings.STATIC_ROOT.parent / "own"
    (own / "css").mkdir(parents=True)
    (own / "css/tokens.css").write_text(":root { --ink: red }\n")
    settings.STATICFILES_DIRS = [own, STATIC]  # the first one wins, as for every static file
    again = json.loads((gather() / "staticfiles.json").read_text())["paths"]
    assert again["css/app.css"] != named["css/app.css"]
    assert (folder / again["css/app.css"]).read_text().startswith(":root { --ink: red }\n")
    assert again["js/app.js"] == named["js/app.js"]


def test_a_part_that_is_missing_is_named(gather: Gather, settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    settings.STATICFILES_DIRS = [tmp_path / "own"]
    with pytest.raises((CommandError, FileNotFoundError), match=r"css/tokens\.css"):
        gather()
