"""Spans of days: each day of one is in exactly one of the sums that it is put together from."""

import datetime

import pytest

from records.reporting.spans import NAMED, Span, named_span, next_start, put_together

ONE = datetime.timedelta(days=1)


def day(text: str) -> datetime.date:
    return datetime.date.fromisoformat(text)


@pytest.mark.parametrize(
    ("first", "last", "step", "steps"),
    [
        ("2026-11-22", "2026-11-22", "day", 1),
        ("2026-08-23", "2026-11-22", "day", 92),
        ("2026-08-22", "2026-11-22", "month", 4),
        ("2025-11-23", "2026-11-22", "month", 13),
        ("2024-01-01", "2026-12-31", "month", 36),
        ("2020-01-01", "2026-11-22", "year", 7),
        ("2016-11-23", "2026-11-22", "year", 11),
        ("1970-01-01", "2026-11-22", "year", 57),
    ],
)
def test_the_longer_a_span_the_longer_its_steps(first: str, last: str, step: str, steps: int) -> None:
    span = Span(day(first), day(last))
    assert (span.step, len(span.starts())) == (step, steps)


@pytest.mark.parametrize(
    ("first", "last"),
    [
        ("2026-02-01", "2026-02-28"),
        ("2026-01-15", "2026-05-14"),
        ("2026-01-01", "2026-12-31"),
        ("2026-01-31", "2027-03-01"),
        ("2015-12-31", "2026-01-01"),
        ("2016-01-01", "2025-12-31"),
        ("2016-02-29", "2026-11-22"),
        ("2020-06-15", "2024-06-14"),
        ("2023-12-01", "2026-12-31"),
    ],
)
def test_every_day_of_a_span_is_in_one_sum_and_no_other_day_is(first: str, last: str) -> None:
    span = Span(day(first), day(last))
    pieces = put_together(span)
    found: list[datetime.date] = []
    for start, end in pieces.days:
        found += [start + ONE * number for number in range((end - start).days)]
    for step, ranges in (("month", pieces.months), ("year", [pieces.years])):
        for start, end in ranges:
            at = start
            while at < end:
                following = next_start(step, at)
                found += [at + ONE * number for number in range((following - at).days)]
                at = following
            assert at == end
    assert sorted(found) == [span.first + ONE * number for number in range(span.days)]


@pytest.mark.parametrize(
    ("today", "name", "first", "last"),
    [
        ("2026-11-22", "7d", "2026-11-16", "2026-11-22"),
        ("2026-11-22", "30d", "2026-10-24", "2026-11-22"),
        ("2026-11-22", "90d", "2026-08-25", "2026-11-22"),
        ("2026-11-22", "month", "2026-11-01", "2026-11-22"),
        ("2026-01-01", "last-month", "2025-12-01", "2025-12-31"),
        ("2026-11-22", "12m", "2025-11-23", "2026-11-22"),
        ("2028-02-29", "12m", "2027-03-01", "2028-02-29"),
        ("2026-11-22", "year", "2026-01-01", "2026-11-22"),
        ("2026-11-22", "all", "2019-05-04", "2026-11-22"),
    ],
)
def test_spans_have_names(today: str, name: str, first: str, last: str) -> None:
    assert named_span(name, day(today), day("2019-05-04")) == Span(day(first), day(last))


@pytest.mark.parametrize("name", NAMED)
def test_every_name_is_a_span_also_before_there_is_any_use(name: str) -> None:
    span = named_span(name, day("2026-11-22"), None)
    assert span.first <= span.last
