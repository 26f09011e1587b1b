"""Fails where a package named in requirements*.in has no fitting hashed pin in the requirements*.txt made from it."""

import re
import sys
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

_PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)(?:\[[^\]]*\])?==(?P<version>[^ ;\\]+)(?P<marker>[^\\]*)\\?$")


def read_pins(file: Path) -> dict[str, str]:
    """Give version by package of a compiled file; a pin without a hash under it, or an index, ends the check."""
    pins: dict[str, str] = {}
    lines = file.read_text().splitlines()
    for number, line in enumerate(lines):
        if line.startswith(("--index", "--extra-index", "-i ")) or "://" in line:
            sys.exit(f"{file} names an index or an address; `make pins` writes none.")
        if match := _PIN.match(line):
            if not lines[number + 1].strip().startswith("--hash="):
                sys.exit(f"{file}: {match['name']} has no hash.")
            pins[canonicalize_name(match["name"])] = match["version"]
    return pins


def main() -> None:
    """Compare each pair of files; exits with a sentence at the first that is not in step."""
    for source in [*sorted(Path().glob("requirements*.in")), Path("examples/requirements.in")]:
        pins = read_pins(source.with_suffix(".txt"))
        for line in source.read_text().splitlines():
            if not line.strip() or line.startswith(("#", "-")):
                continue
            wanted = Requirement(line.split(" #")[0])
            pinned = pins.get(canonicalize_name(wanted.name))
            if pinned is None or not wanted.specifier.contains(pinned, prereleases=True):
                sys.exit(f"{source} wants {wanted}, {source.stem}.txt pins {pinned or 'nothing'}; run `make pins`.")


if __name__ == "__main__":
    main()
