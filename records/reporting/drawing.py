"""A report as charts: bars by day, month or year, of the same kind as people see of their own usage."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from conversations.charts import Chart, draw
from records.reporting.report import Report, Step
from records.reporting.spans import DAY, MONTH
from records.reporting.sums import LONGEST, Sums

type Parts = list[tuple[str, float]]


@dataclass(frozen=True, slots=True)
class Drawing:
    """A chart with its name and its key: what each kind of piece is. `scale`: count, money or seconds."""

    id: str
    name: str
    chart: Chart
    key: Sequence[tuple[str, str]] = ()
    scale: str = "count"


def draw_report(report: Report) -> list[Drawing]:
    """Return the charts of a report: one bar for each step."""

    def chart(parts: Callable[[Sums], Parts], tell: Callable[[Sums], str]) -> Chart:
        return draw([(f"{name_step(step, report)}: {tell(step.sums)}", parts(step.sums)) for step in report.steps])

    return [
        Drawing("people", "People who wrote", chart(lambda s: [("output", s.people)], lambda s: f"{s.people:,}")),
        Drawing(
            "conversations", "Conversations begun",
            chart(lambda s: [("output", s.conversations)], lambda s: f"{s.conversations:,}"),
        ),
        Drawing(
            "answers", "Answers", chart(lambda s: [("output", s.answers)], lambda s: f"{s.answers:,}"),
        ),
        Drawing(
            "errors", "Other endings", chart(_endings, _tell_endings),
            [("bad", "Errors"), ("input", "Refused"), ("cached", "Cut short")],
        ),
        Drawing(
            "tokens", "Tokens", chart(_tokens, lambda s: f"{s.tokens:,} tokens"),
            [("output", "Output"), ("input", "Input"), ("cached", "Cached input")],
        ),
        Drawing(
            "cost", "Cost in US dollars",
            chart(lambda s: [("cost", float(s.cost or 0))], lambda s: s.cost_label), scale="money",
        ),
        Drawing(
            "waits", "Time to first text",
            chart(_waits, lambda s: f"median {s.median_label}, 95th percentile {s.p95_label}"),
            [("output", "Median"), ("cached", "95th percentile")], "seconds",
        ),
        Drawing(
            "feedback", "Ratings",
            chart(
                lambda s: [("output", s.thumbs_up), ("bad", s.thumbs_down)],
                lambda s: f"{s.thumbs_up:,} good, {s.thumbs_down:,} bad",
            ),
            [("output", "Good"), ("bad", "Bad")],
        ),
    ]  # fmt: skip


def name_step(step: Step, report: Report) -> str:
    """Return a step for people: 3 November 2026, November 2026 or 2026; its days where the span cuts it."""
    form = {DAY: "%-d %B %Y", MONTH: "%B %Y"}.get(report.asked.span.step, "%Y")
    if report.asked.span.step == DAY or _is_whole(step, report):
        return step.start.strftime(form)
    return name_days(step.first, step.last)


def name_days(first: datetime.date, last: datetime.date) -> str:
    """Return days for people: 3 November 2026, 3–9 November 2026, 3 October – 9 November 2026."""
    if first == last:
        return f"{last:%-d %B %Y}"
    if (first.year, first.month) == (last.year, last.month):
        return f"{first:%-d}–{last:%-d %B %Y}"
    return f"{first:%-d %B}{'' if first.year == last.year else f' {first.year}'} – {last:%-d %B %Y}"


def name_briefly(step: Step, report: Report) -> str:
    """Return a step in few characters, for the line below a chart."""
    return step.first.strftime({DAY: "%-d %b", MONTH: "%b %Y"}.get(report.asked.span.step, "%Y"))


def _is_whole(step: Step, report: Report) -> bool:
    following = step.last + datetime.timedelta(days=1)
    ends = following.day == 1 and (report.asked.span.step == MONTH or following.month == 1)
    return step.first == step.start and ends


def _endings(sums: Sums) -> Parts:
    return [("bad", sums.errors), ("input", sums.refused), ("cached", sums.stopped + sums.cut_off)]


def _tell_endings(sums: Sums) -> str:
    aside = sums.stopped + sums.cut_off
    return f"{sums.errors:,} errors, {sums.refused:,} refused, {aside:,} stopped or cut off, of {sums.answers:,}"


def _tokens(sums: Sums) -> Parts:
    return [("output", sums.output_tokens), ("input", sums.fresh_tokens), ("cached", sums.cached_tokens)]


def _waits(sums: Sums) -> Parts:
    median, p95 = (min(wait or 0, LONGEST) for wait in (sums.median, sums.p95))
    return [("output", median), ("cached", p95 - median)]
