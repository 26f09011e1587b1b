"""The figures as one Markdown table, and its place in docs/performance.md."""

import datetime
import importlib.metadata
import os
import platform
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.load import Turn
from bench.stand import Outcome

PAGE = Path(__file__).resolve().parents[1] / "docs" / "performance.md"
_BEGIN, _END = "<!-- figures: `make bench ARGS=--write` -->\n", "<!-- end of figures -->\n"
_PACKAGES = ("Django", "gunicorn", "procrastinate", "psycopg", "openai", "aiohttp")


@dataclass
class Level:
    """All rounds at one number of streams: the loads for times, and those for processor work."""

    streams: int
    times: list[Outcome] = field(default_factory=list)
    sdk_times: list[Outcome] = field(default_factory=list)
    work: list[Outcome] = field(default_factory=list)
    sdk_work: list[Outcome] = field(default_factory=list)

    @property
    def ratios(self) -> list[float]:
        """Web and worker to the SDK loop of the same round."""
        return [_app(ours) / _per_1000(sdk, "sdk") for ours, sdk in zip(self.work, self.sdk_work, strict=True)]


def table(levels: Sequence[Level]) -> str:
    """Return the table with a line on the machine and the date."""
    rows: list[tuple[str, Callable[[Level], str]]] = [
        ("first text beyond the provider's own, median (p95)", lambda one: _spread(one.times, _beyond)),
        ("the same for the bare SDK loop", lambda one: _spread(one.sdk_times, _beyond)),
        ("message accepted (the POST answered), median (p95)", lambda one: _spread(one.times, _accepted)),
        ("CPU of web + worker per 1,000 tokens", lambda one: _work(one.work, _app)),
        ("— web", lambda one: _work(one.work, lambda outcome: _per_1000(outcome, "web"))),
        ("— worker", lambda one: _work(one.work, lambda outcome: _per_1000(outcome, "worker"))),
        ("CPU of the bare SDK loop per 1,000 tokens", lambda one: _work(one.sdk_work, lambda o: _per_1000(o, "sdk"))),
        ("**web + worker : bare SDK loop**", lambda one: _ratio(one.ratios)),
        ("for information: PostgreSQL per 1,000 tokens", lambda one: _work(one.work, _postgres)),
        ("events a page gets for one answer of 400 tokens", lambda one: f"{_events(one.work):.0f}"),
    ]
    head = "| | " + " | ".join(f"{one.streams} stream{'s' * (one.streams > 1)}" for one in levels) + " |"
    lines = [head, "| --- |" + " ---: |" * len(levels)]
    lines += [f"| {label} | " + " | ".join(value(one) for one in levels) + " |" for label, value in rows]
    return "\n".join([_machine(levels), "", *lines, ""])


def write(text: str) -> None:
    """Put the table into its place in docs/performance.md."""
    page = PAGE.read_text(encoding="utf-8")
    before, begin, rest = page.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        raise RuntimeError(f"{PAGE.name} has no place for the figures.")
    PAGE.write_text(f"{before}{begin}\n{text}\n{end}{after}", encoding="utf-8")


def _machine(levels: Sequence[Level]) -> str:
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in _PACKAGES)
    rounds = max(len(one.work) for one in levels)
    return (
        f"{datetime.datetime.now(datetime.UTC):%-d %B %Y}; {os.cpu_count()} cores, {platform.system()} "
        f"{platform.machine()}, Python {platform.python_version()}, {versions}. "
        f"{rounds} round{'s' * (rounds > 1)}; a range is the lowest and the highest round."
    )


def _beyond(outcome: Outcome, turn: Turn) -> float:
    return (turn.first_text - outcome.provider) * 1000


def _accepted(_: Outcome, turn: Turn) -> float:
    return turn.accepted * 1000


def _spread(outcomes: Sequence[Outcome], value: Callable[[Outcome, Turn], float]) -> str:
    values = sorted(value(outcome, turn) for outcome in outcomes for turn in outcome.settled)
    p95 = values[min(len(values) - 1, int(len(values) * 0.95))]
    return f"{statistics.median(values):.0f} ms ({p95:.0f})"


def _work(outcomes: Sequence[Outcome], value: Callable[[Outcome], float]) -> str:
    return f"{statistics.median(map(value, outcomes)):.0f} ms"


def _per_1000(outcome: Outcome, program: str) -> float:
    return outcome.cpu[program] / outcome.load.tokens * 1_000_000


def _app(outcome: Outcome) -> float:
    return _per_1000(outcome, "web") + _per_1000(outcome, "worker")


def _postgres(outcome: Outcome) -> float:
    return _per_1000(outcome, "postgres")


def _ratio(ratios: Sequence[float]) -> str:
    middle = f"**{statistics.median(ratios):.2f}**"
    return middle if len(ratios) == 1 else f"{middle} ({min(ratios):.2f}-{max(ratios):.2f})"


def _events(outcomes: Sequence[Outcome]) -> float:
    return statistics.mean(turn.events for outcome in outcomes for turn in outcome.turns)
