"""Exports of people, asked for and read."""

from __future__ import annotations

from typing import Any

from django.test import AsyncClient

from accounts.models import User
from conversations.models import Conversation
from tests.pages.asked import read, with_client

TYPES = {
    "csv": "text/csv; charset=utf-8; header=present",
    "jsonl": "application/x-ndjson; charset=utf-8",
    "md": "text/markdown; charset=utf-8",
    "zip": "application/zip",
}


def get(
    person: User | None, conversation: Conversation, form: str = "csv", *, verb: str = "get", **headers: str
) -> Any:
    async def ask(client: AsyncClient) -> Any:
        address = f"/conversations/{conversation.pk}/export/?format={form}"
        return await read(await getattr(client, verb)(address, headers=headers))

    return with_client(person, ask)


def post(person: User | None, **form: Any) -> Any:
    async def ask(client: AsyncClient) -> Any:
        return await read(await client.post("/conversations/export/", form))

    return with_client(person, ask)
