"""Sums as people read them: what is unknown is said, and waits are told as far as a histogram knows them."""

import math
from decimal import Decimal

import pytest

from records.reporting.sums import Sums, added, brief, seconds, share


def waits(**columns: int) -> Sums:
    return Sums({f"first_text_{name.removeprefix('up_to_')}": count for name, count in columns.items()})


@pytest.mark.parametrize(
    ("values", "label"),
    [
        ({}, "–"),
        ({"calls": 3, "cost": Decimal("1.5")}, "$1.50"),
        ({"calls": 3, "cost": Decimal("1.5"), "unpriced_calls": 1}, "$1.50 + unknown"),
        ({"calls": 3, "cost": Decimal(0), "unpriced_calls": 3}, "unknown"),
        ({"calls": 3, "cost": Decimal(0)}, "$0.00"),
    ],
    ids=["nothing", "known", "partly-known", "unknown", "free"],
)
def test_a_cost_says_what_is_not_known_of_it(values: dict[str, int | Decimal], label: str) -> None:
    assert Sums(values).cost_label == label


def test_a_wait_is_told_by_where_it_lies_in_its_column() -> None:
    even = waits(up_to_1s=50, up_to_2s=50)
    assert even.median == 1.0
    assert even.p95 == pytest.approx(1.9)
    assert waits(up_to_250ms=100).median == 0.125


def test_waits_of_more_than_32_s_are_only_known_to_be_so() -> None:
    slow = waits(up_to_1s=90, up_to_longer=10)
    assert slow.median is not None
    assert slow.median < 1
    assert slow.p95 == math.inf
    assert slow.p95_label == "> 32 s"


def test_no_wait_is_no_number() -> None:
    assert (Sums({}).median, Sums({}).median_label) == (None, "–")


def test_sums_are_added_measure_by_measure() -> None:
    both = added([Sums({"calls": 1, "cost": Decimal("0.1")}, 5), Sums({"calls": 2, "prompts": 4}, 5)], people=7)
    assert (both.calls, both.prompts, both.cost, both.people) == (3, 4, Decimal("0.1"), 7)


@pytest.mark.parametrize(
    ("part", "whole", "told"),
    [(0, 0, "–"), (0, 9, "0 %"), (1, 3, "33 %"), (1, 40, "2.5 %"), (1, 100_000, "< 0.1 %"), (5, 5, "100 %")],
)
def test_shares_are_told_in_percent(part: int, whole: int, told: str) -> None:
    assert share(part, whole) == told


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (0, "0"),
        (999_999, "999,999"),
        (1_000_000, "1.0 million"),
        (89_749_724, "89.7 million"),
        (10**12, "1.0 trillion"),
    ],
)
def test_large_numbers_are_told_in_few_digits(number: int, told: str) -> None:
    assert brief(number) == told


@pytest.mark.parametrize(("value", "told"), [(0.0731, "0.07 s"), (1.24, "1.2 s"), (12.4, "12 s"), (math.inf, "> 32 s")])
def test_waits_are_told_in_seconds(value: float, told: str) -> None:
    assert seconds(value) == told
