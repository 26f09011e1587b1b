"""Sums of use as people read them: what is known of tokens and money, and how long a first text took."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from conversations.amounts import money
from records.models import MEASURES

_EDGES = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
_HISTOGRAM = tuple(name for name in MEASURES if name.startswith("first_text_") and name != "first_text_ms")
LONGEST = _EDGES[-1]
NOTHING = "–"


@dataclass(frozen=True, slots=True)
class Sums:
    """The measures of UsageFact, added up, with how many people it was. A measure that is missing is 0."""

    values: Mapping[str, int | Decimal]
    people: int = 0

    def count(self, name: str) -> int:
        """Return a measure that is a whole number."""
        return int(self.values.get(name, 0))

    @property
    def conversations(self) -> int:
        return self.count("conversations")

    @property
    def prompts(self) -> int:
        return self.count("prompts")

    @property
    def answers(self) -> int:
        return self.count("answers")

    @property
    def errors(self) -> int:
        """Answers that failed or were interrupted."""
        return self.count("failed")

    @property
    def refused(self) -> int:
        return self.count("refused")

    @property
    def stopped(self) -> int:
        return self.count("stopped")

    @property
    def cut_off(self) -> int:
        return self.count("cut_off")

    @property
    def error_share(self) -> str:
        """How many answers of a hundred were errors, for people."""
        return share(self.errors, self.answers)

    @property
    def calls(self) -> int:
        return self.count("calls")

    @property
    def estimated_calls(self) -> int:
        return self.count("estimated_calls")

    @property
    def unpriced_calls(self) -> int:
        return self.count("unpriced_calls")

    @property
    def tokens(self) -> int:
        return self.count("input_tokens") + self.count("output_tokens")

    @property
    def tokens_label(self) -> str:
        return brief(self.tokens)

    @property
    def output_tokens(self) -> int:
        return self.count("output_tokens")

    @property
    def cached_tokens(self) -> int:
        return self.count("cached_tokens")

    @property
    def fresh_tokens(self) -> int:
        """Tokens of input that the provider had not cached."""
        return self.count("input_tokens") - self.cached_tokens

    @property
    def cost(self) -> Decimal | None:
        """US dollars as far as they are known; None where nothing is."""
        if not self.calls or self.unpriced_calls == self.calls:
            return None
        return Decimal(self.values.get("cost", 0))

    @property
    def cost_label(self) -> str:
        """The cost for people, with what is not known of it."""
        if not self.calls:
            return NOTHING
        if self.cost is None:
            return "unknown"
        return money(self.cost) + (" + unknown" if self.unpriced_calls else "")

    @property
    def median(self) -> float | None:
        """Seconds to the first text that half of the answers took at most, about; see `quantile`."""
        return self.quantile(0.5)

    @property
    def p95(self) -> float | None:
        """Seconds to the first text that 95 of 100 answers took at most, about."""
        return self.quantile(0.95)

    @property
    def median_label(self) -> str:
        return seconds(self.median)

    @property
    def p95_label(self) -> str:
        return seconds(self.p95)

    @property
    def thumbs_up(self) -> int:
        return self.count("thumbs_up")

    @property
    def thumbs_down(self) -> int:
        return self.count("thumbs_down")

    def quantile(self, part: float) -> float | None:
        """Return the seconds within which this part of the answers had its first text, by the histogram.

        Within a column of it answers are taken to be spread evenly, so that it is right to the width of that column.
        Infinity stands for more than 32 s, which is all that is known then; None where there is no answer.
        """
        counts = [self.count(name) for name in _HISTOGRAM]
        wanted = part * sum(counts)
        if not wanted:
            return None
        for place, count in enumerate(counts[:-1]):
            if count and wanted <= count:
                return _EDGES[place] + (_EDGES[place + 1] - _EDGES[place]) * wanted / count
            wanted -= count
        return math.inf


def added(rows: Iterable[Sums], people: int = 0) -> Sums:
    """Return several sums as one. People are given, as they cannot be added up."""
    values: dict[str, int | Decimal] = {}
    for row in rows:
        for name, value in row.values.items():
            values[name] = values.get(name, 0) + value
    return Sums(values, people)


def seconds(value: float | None) -> str:
    """Write a wait for people."""
    if value is None:
        return NOTHING
    if math.isinf(value):
        return f"> {LONGEST:.0f} s"
    return f"{value:.0f} s" if value >= 10 else f"{value:.1f} s" if value >= 1 else f"{value:.2f} s"


def brief(number: int) -> str:
    """Write a large number in three digits, for people: 89.7 million."""
    for power, unit in ((10**12, "trillion"), (10**9, "billion"), (10**6, "million")):
        if number >= power:
            amount = number / power
            return f"{amount:.{0 if amount >= 99.95 else 1}f} {unit}"
    return f"{number:,}"


def share(part: int, whole: int) -> str:
    """Write a part of a whole in percent, for people; nothing of nothing is nothing."""
    if not whole:
        return NOTHING
    percent = 100 * part / whole
    if not part or percent >= 10 or percent == round(percent):
        return f"{percent:.0f} %"
    return "< 0.1 %" if percent < 0.1 else f"{percent:.1f} %"
