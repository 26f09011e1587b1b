"""Which models the provider serves, and until when."""

import datetime
from dataclasses import dataclass

from conversations.llm.calls import one_call
from conversations.llm.client import get_client
from conversations.llm.decode import as_list, as_mapping, load_json, storable
from conversations.llm.errors import ModelError
from conversations.llm.events import NAME_CHARACTERS


@dataclass(frozen=True, slots=True)
class ListedModel:
    """A model that the provider lists, and the day of its end where one is announced."""

    name: str
    shutdown_date: datetime.date | None


async def list_models() -> list[ListedModel]:
    """Return the models that the provider serves to our key ("List models" in OpenAI's reference).

    Raises ModelError: `protocol` also for an answer that lists none, which would tell that nothing works any more.
    """
    async with one_call(message="The model service did not answer in time. Try again later."):
        response = await get_client().models.with_raw_response.list()
    try:
        rows = as_list(as_mapping(load_json(response.content)).get("data"))
    except ValueError:
        raise ModelError("protocol", f"a list of {len(response.content):,} bytes that is not JSON") from None
    listed = [
        ListedModel(name, _day(row.get("shutdown_date")))
        for row in map(as_mapping, rows)
        if (name := storable(row.get("id"), NAME_CHARACTERS))
    ]
    if not listed:
        raise ModelError("protocol", "a list without any model")
    return listed


def _day(told: object) -> datetime.date | None:
    """Return a day written as 2027-01-14, also with a time behind it; None for anything else."""
    try:
        return datetime.date.fromisoformat(told[:10]) if isinstance(told, str) else None
    except ValueError:
        return None
