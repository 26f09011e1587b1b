"""A report as a table for spreadsheets: what the page shows, and every measure behind it."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Iterator
from decimal import Decimal

from conversations.exporting.csv import BYTE_ORDER_MARK, inert
from records.models import MEASURES
from records.reporting.report import Report
from records.reporting.sums import Sums

type Cell = int | float | Decimal | str | None

_KNOWN = {"cost": "cost_usd"}
_TOLD: dict[str, Callable[[Sums], Cell]] = {
    "people": lambda sums: sums.people,
    **{_KNOWN.get(name, name): lambda sums, name=name: sums.values.get(name, 0) for name in MEASURES},  # type: ignore[misc]
    "cost_usd": lambda sums: sums.cost,
    "first_text_median_s": lambda sums: sums.median,
    "first_text_p95_s": lambda sums: sums.p95,
}


def columns(report: Report) -> list[str]:
    """Return the names of the columns."""
    by = report.asked.by
    first = ["from", "to"] if by == "day" else [f"{by}_id", by, {"person": "username"}.get(by, f"{by}_key")]
    return [*first, *_TOLD]


def write_csv(report: Report) -> bytes:
    """Return a line for each step, or for each part, as RFC 4180 has it, in UTF-8 with its mark.

    No cell is taken for a formula, whatever people are called: see `inert`. An unknown cost is empty, not 0; a wait of
    more than 32 s is written so.
    """
    buffer = io.StringIO(newline="")
    buffer.write(BYTE_ORDER_MARK)
    table = csv.writer(buffer, lineterminator="\r\n")
    table.writerow(columns(report))
    for first, sums in _lines(report):
        table.writerow([*(inert(cell) for cell in first), *(_written(told(sums)) for told in _TOLD.values())])
    return buffer.getvalue().encode()


def file_name(report: Report) -> str:
    """Return what the table is called: nothing that anybody wrote is in it."""
    span = report.asked.span
    return f"usage-{span.first}-to-{span.last}-by-{report.asked.by}.csv"


def _lines(report: Report) -> Iterator[tuple[list[str], Sums]]:
    if report.asked.by == "day":
        for step in report.steps:
            yield [str(step.first), str(step.last)], step.sums
    for part in report.parts:
        yield [str(part.id), part.name, part.key], part.sums


def _written(value: Cell) -> str:
    match value:
        case None:
            return ""
        case float() if math.isinf(value):
            return "more than 32"
        case float():
            return f"{value:.3f}"
        case Decimal():
            return f"{value:f}"
    return str(value)
