"""static/css/code.css: every colour of code can be read in both themes (WCAG 2.2, 1.4.3: 4.5:1)."""

import re
from pathlib import Path

import pytest

CSS = (Path(__file__).parents[2] / "static/css/code.css").read_text()
THEMES = [dict(re.findall(r"(--code-[a-z]+): (#[0-9a-f]{6});", body)) for body in re.findall(r"\{([^{}]*)\}", CSS)]
THEMES = [theme for theme in THEMES if theme]


def luminance(colour: str) -> float:
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_light_and_dark_have_the_same_names_and_dark_is_one_set() -> None:
    light, dark_by_system, dark_by_choice = THEMES

    assert dark_by_system == dark_by_choice
    assert light.keys() == dark_by_choice.keys()


@pytest.mark.parametrize("theme", THEMES)
def test_every_colour_of_code_has_enough_contrast(theme: dict[str, str]) -> None:
    surfaces = {"--code-background", "--code-header", "--code-border"}

    weak = {name for name in theme.keys() - surfaces if contrast(theme[name], theme["--code-background"]) < 4.5}

    assert weak == set()
    for surface in ("--code-header", "--code-border"):
        name = "--code-quiet" if surface == "--code-header" else "--code-text"
        assert contrast(theme[name], theme[surface]) >= 4.5


def test_every_class_that_code_gets_has_a_colour() -> None:
    source = (Path(__file__).parents[2] / "conversations/rendering/code.py").read_text()

    names = set(re.findall(r', "([a-z])"\),', source))

    assert names == set(re.findall(r"^\.hl-([a-z]) ", CSS, re.MULTILINE))
