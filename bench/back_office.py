"""`python -m bench.back_office`: how fast reviewers list, search and read among a million conversations.

It takes the database of `python -m bench.history` (see there) and adds, once, what the back office looks at: model
calls, endings, files, ratings, reviews, groups and the sums of conversations; half an hour and 9 GB more. With
--write the figures and the plans go into docs/performance-back-office.md.
"""

import argparse
import random
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from bench.history import Case, opened

GOAL_MS = 1000
PAGE = Path(__file__).resolve().parents[1] / "docs" / "performance-back-office.md"


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.back_office", description=__doc__)
    parser.add_argument("--directory", type=Path, default=Path("/tmp/verbatim-history"), help="of the database")
    parser.add_argument("--conversations", type=int, default=1_000_000, help="in all; messages are ten times as many")
    parser.add_argument("--rounds", type=int, default=20, help="calls of each case, after one with each of its inputs")
    parser.add_argument("--only", default="", help="cases whose name holds this")
    parser.add_argument("--write", action="store_true", help=f"put figures and plans into docs/{PAGE.name}")
    arguments = parser.parse_args()
    with opened(arguments.directory, arguments.conversations, prepare=_prepare):
        from bench import history_report as report
        from bench.back_office_cases import all_cases

        cases = [case for case in all_cases(random.Random(1)) if arguments.only in case.name]
        measure(cases, arguments.rounds)
        text = report.table(cases, goal=GOAL_MS)
        print(text)
        if arguments.write:
            report.write(text, cases, page=PAGE)
        else:
            print(report.plans(cases))


def measure(cases: Sequence[Case], rounds: int) -> None:
    """Call every case in turn, so that none has the memory of the machine to itself; first once with every input."""
    most = max(len(case.inputs) for case in cases)
    for number in range(-most, rounds):
        for case in cases:
            if number < -len(case.inputs):
                continue
            given = case.inputs[number % len(case.inputs)]
            began = time.perf_counter()
            case.ask(given)
            (case.times if number >= 0 else case.first_times).append(time.perf_counter() - began)
        if number % 5 == 0:
            print(f"round {number} of {rounds}", file=sys.stderr, flush=True)


def _prepare(url: str) -> None:
    """Add what is missing, and have the sums reckoned of which there are none."""
    from bench import back_office_rows
    from records.services.facts import count_stale, keep_facts
    from records.services.usage_facts import find_marked_days, keep_usage

    back_office_rows.load(url)
    while left := count_stale():
        print(f"{left:,} conversations have no sums yet", file=sys.stderr, flush=True)
        keep_facts(seconds=30)
    while keep_usage(seconds=30) and (days := find_marked_days()):
        print(f"{len(days):,} days have no sums yet", file=sys.stderr, flush=True)
    back_office_rows.tidy(url)


if __name__ == "__main__":
    main()
