"""Files as people upload and send them, and what pages show of them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from uuid import uuid4

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from conversations.models import Conversation
from tests.pages.record import HTMX

CSV = b"shelf,count\nA1,118\n"


def file(name: str = "count.csv", data: bytes = CSV, content_type: str = "text/csv") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data, content_type)


def upload(page: Client, sent: object = None) -> Any:
    return page.post("/attachments/", {"file": sent or file()}, headers=HTMX)


def left(places: Path) -> list[str]:
    """What lies in storage and among the temporary files."""
    return sorted(path.relative_to(places).parts[0] for path in places.rglob("*") if path.is_file())


def chips(response: Any) -> list[tuple[str, str]]:
    """The chips of a page: how each stands, and its words. The blank one that the script copies is none."""
    text = re.sub(r"<template.*?</template>", "", response.content.decode(), flags=re.DOTALL)
    found = re.findall(r'<li class="chip"\s+data-state="(\w+)">(.*?)</li>', text, flags=re.DOTALL)
    return [(state, " ".join(re.sub(r"<[^>]*>", " ", words).split())) for state, words in found]


def send(page: Client, conversation: Conversation, *ids: object, **fields: Any) -> Any:
    headers = {} if fields.pop("plain", "") else HTMX
    data = {"prompt": "And these?", "client_token": str(uuid4()), "after": str(conversation.current_leaf_id)}
    data["attachments"] = [str(pk) for pk in ids]  # type: ignore[assignment]
    return page.post(f"/conversations/{conversation.pk}/messages/", data | fields, headers=headers)
