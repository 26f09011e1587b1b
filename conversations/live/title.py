"""Writing one title."""

from contextlib import aclosing
from uuid import UUID

from conversations import llm, services
from conversations.live.database import in_database_patiently


async def write_title(generation_id: UUID) -> None:
    """Ask the model for the title that was planned, and record the call however it ends."""
    plan = await in_database_patiently(services.claim_title, generation_id=generation_id)
    if plan is None:
        return
    text = ""
    try:
        async with aclosing(llm.stream(plan.request)) as events:
            async for event in events:
                if isinstance(event, llm.Text):
                    text += event.text
                elif isinstance(event, llm.Finished):
                    await in_database_patiently(services.finish_title, plan=plan, finished=event, text=text)
    except llm.ModelError as error:
        await in_database_patiently(services.fail_title, plan=plan, error=error)
