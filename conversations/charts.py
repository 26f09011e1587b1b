"""Bars of a chart as numbers for a template: drawn by the server, in an SVG that is stretched to its place."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

STEP, GAP = 10, 3  # width of a column and of the space between its bar and the next one
HEIGHT = 100
ROUND = (1, 1.2, 1.6, 2, 3, 4, 5, 6, 8)
LEAST = 0.75  # height of the smallest bar: what is there is seen


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a bar. `kind` is its class."""

    kind: str
    y: str
    height: str


@dataclass(frozen=True, slots=True)
class Bar:
    """One column: its place, what it says when it is pointed at, and its parts from the bottom up."""

    left: int
    x: str
    label: str
    pieces: list[Piece]


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars and the numbers at the side: the top of the scale, and its middle."""

    bars: list[Bar]
    top: float
    step: int = STEP
    width: str = f"{STEP - GAP}"
    height: int = HEIGHT

    @property
    def total_width(self) -> int:
        return STEP * len(self.bars)

    @property
    def middle(self) -> float:
        return self.top / 2

    @property
    def middle_is_whole(self) -> bool:
        """Whether a chart of things that are counted can name its middle."""
        return self.middle == int(self.middle)


def draw(columns: Sequence[tuple[str, Sequence[tuple[str, float]]]]) -> Chart:
    """Return the chart of columns, each a label and its parts from the bottom up as kind and amount."""
    top = round_up(max((sum(amount for _, amount in parts) for _, parts in columns), default=0))
    bars = [
        Bar(STEP * index, f"{STEP * index + GAP / 2:g}", label, _pieces(parts, top))
        for index, (label, parts) in enumerate(columns)
    ]
    return Chart(bars, top)


def round_up(amount: float) -> float:
    """Return the next number that is round, and whose half is too; 1 for nothing."""
    if amount <= 0:
        return 1
    power: float = 10 ** math.floor(math.log10(amount))
    return next((step * power for step in ROUND if amount <= step * power), 10 * power)


def _pieces(parts: Sequence[tuple[str, float]], top: float) -> list[Piece]:
    pieces, bottom = [], float(HEIGHT)
    for kind, amount in parts:
        if amount > 0:
            height = max(HEIGHT * amount / top, LEAST)
            bottom -= height
            pieces.append(Piece(kind, f"{max(bottom, 0):.2f}", f"{height:.2f}"))
    return pieces
