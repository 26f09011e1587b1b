"""static/css/code.css: every colour of code can be read in both themes (WCAG 2.2, 1.4.3: 4.5:1)."""

import re
from pathlib import Path

import pytest

CSS = (Path(__file__).parents[2] / "static/css/code.css").read_text()
COLOURS = re.findall(r"(--code-[a-z]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);", CSS)
THEMES = {
    "light": {name: light for name, light, _ in COLOURS},
    "dark": {name: dark for name, _, dark in COLOURS},
}


def luminance(colour: str) -> float:
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("name", THEMES)
def test_every_colour_of_code_has_enough_contrast(name: str) -> None:
    theme = THEMES[name]
    background = theme["--code-background"]

    assert len(theme) == len(set(re.findall(r"--code-[a-z]+(?=:)", CSS))) > 8
    assert {name: colour for name, colour in theme.items() if contrast(colour, background) < 4.5} == {
        "--code-background": background
    }


def test_every_class_that_code_gets_has_a_colour() -> None:
    source = (Path(__file__).parents[2] / "conversations/rendering/code.py").read_text()

    names = set(re.findall(r', "([a-z])"\),', source))

    assert names == set(re.findall(r"^\.hl-([a-z]) ", CSS, re.MULTILINE))
