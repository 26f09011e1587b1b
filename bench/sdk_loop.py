"""The yardstick, as a process of its own: nothing but the openai package's own loop over the same answers."""

import asyncio
import resource
import time

import openai

from bench import scenario
from bench.load import Load, Turn, read_task, write_result


async def main() -> None:
    """Run the load that stdin tells; the processor time of this process alone goes with the result."""
    task = read_task()
    # Its own limit for connecting, 5 s, is overrun where 200 streams take all of a core.
    client = openai.AsyncOpenAI(api_key="sk-bench", base_url=task["base_url"], max_retries=0, timeout=600)
    load = Load(**task["load"])

    async def ask(_number: int) -> Turn:
        return await _answer(client, load.prompt)

    await _answer(client, scenario.WARM_UP_PROMPT)
    before = _cpu_seconds()
    turns = await load.run(ask)
    write_result(turns, cpu=_cpu_seconds() - before)


async def _answer(client: openai.AsyncOpenAI, prompt: str) -> Turn:
    began = time.perf_counter()
    first, events, text = 0.0, 0, []
    stream = await client.responses.create(
        model="gpt-4o", instructions=scenario.INSTRUCTIONS, input=prompt, stream=True, store=False
    )
    accepted = time.perf_counter() - began
    async for event in stream:
        events += 1
        if event.type == "response.output_text.delta":
            first = first or time.perf_counter() - began
            text.append(event.delta)
    return Turn(accepted, first, time.perf_counter() - began, events)


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    asyncio.run(main())
