"""Chat completions as OpenAI's own client asks for them."""

from __future__ import annotations

from typing import Any

from openai import AsyncOpenAI
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from tests.door.asking import ask
from tests.sending.asking import Program

ADDRESS = "/v1/chat/completions"
ONE: Any = {"role": "user", "content": "One"}
FIRST: Any = {"role": "assistant", "content": "First"}
TWO: Any = {"role": "user", "content": "Two"}


def create(program: Program, *messages: Any, **more: Any) -> ChatCompletion:
    async def work(client: AsyncOpenAI) -> ChatCompletion:
        return await client.chat.completions.create(**{"model": "general", "messages": list(messages)} | more)

    return ask(program, work)


def stream(program: Program, *messages: Any, **more: Any) -> list[ChatCompletionChunk]:
    async def work(client: AsyncOpenAI) -> list[ChatCompletionChunk]:
        options: Any = {"model": "general", "messages": list(messages), "stream": True} | more
        return [chunk async for chunk in await client.chat.completions.create(**options)]

    return ask(program, work)


def text_of(chunks: list[ChatCompletionChunk]) -> str:
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
