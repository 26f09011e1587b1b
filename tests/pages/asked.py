"""What is asked for as a browser asks for it, and read to its end."""

from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import async_to_sync
from django.test import AsyncClient

from accounts.models import User


def with_client[Value](person: User | None, use: Callable[[AsyncClient], Awaitable[Value]]) -> Value:
    """Use a client that is signed in as a person, or as nobody."""
    client = AsyncClient(raise_request_exception=False)
    if person is not None:
        client.force_login(person)
    return async_to_sync(use)(client)


async def read(response: Any) -> Any:
    """Read all of a response into `body`."""
    response.body = response.content if not response.streaming else b""
    if response.streaming:
        response.body = b"".join([piece async for piece in response.streaming_content])
    response.close()
    return response
