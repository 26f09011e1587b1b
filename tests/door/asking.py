"""OpenAI's own client, speaking to the application in this process while a worker is there."""

from __future__ import annotations

import base64
import io
from collections.abc import Awaitable, Callable
from typing import Any

import httpx2
from django.core.asgi import get_asgi_application
from openai import AsyncOpenAI
from PIL import Image

from conversations.models import Conversation, Generation, Message
from tests.fakes.process import FakeOpenAI
from tests.sending.asking import Program, at_work


def ask[Result](program: Program, work: Callable[[AsyncOpenAI], Awaitable[Result]], **options: Any) -> Result:
    """Do something with a client that has the program's token; it sends nothing twice by itself."""

    application: Any = get_asgi_application()

    async def whole() -> Result:
        transport = httpx2.ASGITransport(app=application, raise_app_exceptions=False)
        async with (
            httpx2.AsyncClient(transport=transport) as http,
            AsyncOpenAI(
                api_key=program.secret,
                base_url="http://testserver/v1",
                http_client=http,
                **{"max_retries": 0} | options,
            ) as client,
        ):
            return await work(client)

    return at_work(whole)


def said() -> list[tuple[str, str, bool]]:
    """All messages, oldest first: who spoke, what, and whether it was supplied."""
    return list(Message.objects.order_by("id").values_list("role", "text", "is_supplied"))


def rows() -> tuple[int, int, int]:
    """How many conversations, messages and model calls there are."""
    return Conversation.objects.count(), Message.objects.count(), Generation.objects.count()


def bodies(openai: FakeOpenAI) -> list[dict[str, Any]]:
    """What the provider was asked."""
    return [request["body"] for request in openai.requests("/v1/responses")]


def picture() -> str:
    """A small picture as a data URL."""
    data = io.BytesIO()
    Image.new("RGB", (8, 8), "teal").save(data, "PNG")
    return f"data:image/png;base64,{base64.b64encode(data.getvalue()).decode()}"
