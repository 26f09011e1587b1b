"""How a number of streams is kept up: the same for Verbatim's clients and for the bare SDK loop."""

import asyncio
import json
import random
import sys
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from typing import Any

from bench import scenario


@dataclass(frozen=True, slots=True)
class Turn:
    """What one client saw of one answer, in seconds since it asked."""

    accepted: float  # the answer to the POST was there
    first_text: float
    ended: float
    events: int
    is_first: bool = False  # others were still coming in


@dataclass(frozen=True, slots=True)
class Load:
    """So many streams, each so many answers one after the other."""

    streams: int
    turns: int
    prompt: str

    @property
    def tokens(self) -> int:
        """All tokens of the load."""
        return self.streams * self.turns * scenario.tokens_of(self.prompt)

    async def run(self, ask: Callable[[int], Awaitable[Turn]]) -> list[Turn]:
        """Let every stream ask `turns` times. The streams begin one by one over the length of an answer.

        So many people never press Enter in the same instant, and a pause between two answers keeps the timers of
        either side out of step.
        """
        dice = random.Random(1)
        spread = scenario.seconds_of(self.prompt) / self.streams
        starts = [number * spread for number in range(self.streams)]
        pauses = [[dice.uniform(0.2, 0.7) for _ in range(self.turns)] for _ in range(self.streams)]

        async def one(number: int) -> list[Turn]:
            await asyncio.sleep(starts[number])
            seen = []
            for turn, pause in enumerate(pauses[number]):
                await asyncio.sleep(pause)
                known = await ask(number)
                seen.append(Turn(known.accepted, known.first_text, known.ended, known.events, is_first=turn == 0))
            return seen

        return [turn for turns in await asyncio.gather(*map(one, range(self.streams))) for turn in turns]


def read_task() -> dict[str, Any]:
    """Return what the benchmark wrote to this process."""
    task: dict[str, Any] = json.load(sys.stdin)
    return task


def write_result(turns: list[Turn], **more: object) -> None:
    """Tell the benchmark what was seen."""
    json.dump({"turns": [asdict(turn) for turn in turns], **more}, sys.stdout)
