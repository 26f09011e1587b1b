"""The colours of tokens.css and code.css can be told apart in both themes, as WCAG 1.4.3 and 1.4.11 ask."""

from __future__ import annotations

import re

import pytest

from tests.structure.source import ROOT

TEXT, CONTROL = 4.5, 3.0
SURFACES = ("paper", "rail", "panel", "raised", "hover")
CODE = (
    "text", "quiet", "keyword", "string", "number", "function",
    "builtin", "attribute", "variable", "deleted", "inserted",
)  # fmt: skip
PAIRS = [
    *((ink, surface, TEXT) for ink in ("ink", "ink-soft", "accent", "accent-strong") for surface in SURFACES),
    *((ink, surface, TEXT) for ink in ("danger", "warning") for surface in ("paper", "raised", "panel")),
    *((name, f"{name}-soft", TEXT) for name in ("danger", "warning", "accent")),
    *(("ink", f"{name}-soft", TEXT) for name in ("danger", "warning", "accent")),
    ("accent-strong", "accent-soft", TEXT),
    ("on-accent", "accent", TEXT),
    ("on-accent", "accent-strong", TEXT),
    *(("control", surface, CONTROL) for surface in ("paper", "rail", "raised")),
    *(("accent", surface, CONTROL) for surface in SURFACES),  # the ring of the focus
    *((f"code-{name}", "code-background", TEXT) for name in CODE),
]


def colours(theme: int) -> dict[str, str]:
    """Return the colours of a theme (0 light, 1 dark) by their names, as six hexadecimal digits."""
    text = "".join((ROOT / "static" / "css" / name).read_text(encoding="utf-8") for name in ("tokens.css", "code.css"))
    found = re.findall(r"--([\w-]+): light-dark\(#([0-9a-f]{6}), #([0-9a-f]{6})\)", text)
    return {name: (light, dark)[theme] for name, light, dark in found}


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_black_on_white_is_21_to_1() -> None:
    assert round(contrast("000000", "ffffff"), 1) == 21


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_every_pair_of_colours_that_meet_has_contrast(theme: int) -> None:
    named = colours(theme)
    weak = {
        f"{one} on {other}": round(contrast(named[one], named[other]), 2)
        for one, other, least in PAIRS
        if contrast(named[one], named[other]) < least
    }
    assert weak == {}
