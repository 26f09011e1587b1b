"""Making one call that an administrator tries out."""

import datetime
from contextlib import aclosing
from dataclasses import replace
from uuid import UUID

from conversations import llm, services
from conversations.live.database import in_database_patiently
from conversations.services import CallProgress


async def write_trial(generation_id: UUID) -> None:
    """Ask the model what was planned, and record the call however it ends."""
    plan = await in_database_patiently(services.claim_trial, generation_id=generation_id)
    if plan is None:
        return
    text, progress = "", CallProgress()
    try:
        async with aclosing(llm.stream(plan.request)) as events:
            async for event in events:
                match event:
                    case llm.Started():
                        progress = CallProgress(event.response_id, event.request_id, event.model)
                    case llm.Text():
                        if not text:
                            progress = replace(progress, first_text_at=datetime.datetime.now(datetime.UTC))
                        text += event.text
                    case llm.Finished():
                        await in_database_patiently(
                            services.finish_trial, plan=plan, finished=event, text=text, progress=progress
                        )
    except llm.ModelError as error:
        await in_database_patiently(services.fail_trial, plan=plan, error=error, text=text, progress=progress)
