"""The benchmark's own parts; what it measures is asserted nowhere."""

import asyncio

from bench import scenario
from bench.load import Load, Turn
from bench.report import Level, table
from bench.stand import Outcome


def test_an_answer_has_as_many_pieces_as_asked_for_and_begins_with_its_mark() -> None:
    pieces = scenario.deltas(scenario.LONG_TOKENS)

    assert len(pieces) == scenario.LONG_TOKENS
    assert pieces[0] == scenario.FIRST_WORD
    assert "```python" in "".join(pieces)
    assert len(scenario.deltas(5_000)) == 5_000


def test_the_ratio_is_web_and_worker_to_the_loop_of_the_same_round() -> None:
    load = Load(streams=1, turns=1, prompt=scenario.LONG_PROMPT)
    turns = [Turn(0.02, 0.33, 8.4, 50)]
    ours = Outcome(load, turns, {"web": 0.1, "worker": 0.2, "postgres": 0.4}, 9.0, provider=0.302)
    bare = Outcome(load, turns, {"sdk": 0.6}, 9.0, provider=0.302)

    shown = table([Level(1, [ours], [bare], [ours], [bare])])

    assert "| 1 stream |" in shown
    assert "| **0.50** |" in shown
    assert "| 28 ms (28) |" in shown


def test_every_stream_asks_in_turn() -> None:
    asked: list[int] = []

    async def ask(number: int) -> Turn:
        asked.append(number)
        return Turn(0, 0, 0, 1)

    turns = asyncio.run(Load(streams=2, turns=2, prompt=scenario.SHORT_PROMPT).run(ask))

    assert sorted(asked) == [0, 0, 1, 1]
    assert [turn.is_first for turn in turns] == [True, False, True, False]
