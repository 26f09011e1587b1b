"""Asking the provider which models it serves."""

from __future__ import annotations

from conversations import llm, services
from conversations.live.database import in_database


async def check_models() -> None:
    """Ask the provider for its list and note what it says of each of our models.

    Raises ModelError where it cannot be asked; nothing is changed then.
    """
    listed = await llm.list_models()
    await in_database(services.note_listing, listed=listed)


async def ask_once() -> list[llm.ListedModel]:
    """Return the provider's list, for a process that asks for nothing else. Raises ModelError."""
    try:
        return await llm.list_models()
    finally:
        await llm.close_clients()
