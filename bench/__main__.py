"""`python -m bench`: measure and print the table; with --write it also goes into docs/performance.md."""

import argparse
import sys

from bench import report
from bench.load import Load
from bench.report import Level
from bench.scenario import LONG_PROMPT, SHORT_PROMPT
from bench.stand import Stand, running_stand


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--streams", type=int, nargs="+", default=[1, 50, 200], help="at once")
    parser.add_argument("--rounds", type=int, default=3, help="of Verbatim and the SDK loop in turn")
    parser.add_argument("--turns", type=int, default=2, help="answers of each stream in a round")
    parser.add_argument("--write", action="store_true", help="put the table into docs/performance.md")
    arguments = parser.parse_args()
    levels = [Level(streams) for streams in arguments.streams]
    with running_stand() as stand:
        for level in levels:
            stand.invite(level.streams)
            for number in range(arguments.rounds):
                print(f"{level.streams} at once, round {number + 1} of {arguments.rounds} …", file=sys.stderr)
                _measure(stand, level, arguments.turns)
    text = report.table(levels)
    print(text)
    if arguments.write:
        report.write(text)


def _measure(stand: Stand, level: Level, turns: int) -> None:
    """Add one round. A single stream would give too few times, so it gets short answers for them."""
    load = Load(level.streams, turns, LONG_PROMPT)
    level.work.append(stand.measure(load))
    level.sdk_work.append(stand.measure_sdk(load))
    if level.streams > 1:
        level.times, level.sdk_times = level.work, level.sdk_work
        return
    many = Load(level.streams, 16, SHORT_PROMPT)
    level.times.append(stand.measure(many))
    level.sdk_times.append(stand.measure_sdk(many))


if __name__ == "__main__":
    main()
