"""Files of people, asked for and read."""

from __future__ import annotations

from typing import Any

from django.test import AsyncClient

from accounts.models import User
from conversations.models import Attachment
from tests.factories import make_file
from tests.pages.asked import read, with_client

LARGE = bytes(range(256)) * 3000  # three chunks
SIZE = len(LARGE)
GUARDS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def get(person: User | None, file: Attachment, query: str = "", *, verb: str = "get", **headers: str) -> Any:
    """Ask for a file and read all of it into `body`."""

    async def ask(client: AsyncClient) -> Any:
        address = f"/attachments/{file.pk}/{query}"
        return await read(await getattr(client, verb)(address, headers=headers))

    return with_client(person, ask)


def text_file(person: User, **fields: Any) -> Attachment:
    return make_file(person, **{"data": LARGE, "name": "count.csv", "content_type": "text/csv"} | fields)
