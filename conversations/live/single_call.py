"""Making one call whose answer is no message: the title of a conversation, or what an administrator tries out."""

import datetime
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import replace
from functools import partial
from uuid import UUID

from conversations import llm, services
from conversations.live.database import in_database_patiently
from conversations.services import CallPlan, CallProgress


async def _make_call(
    generation_id: UUID,
    *,
    claim: Callable[..., CallPlan | None],
    finish: Callable[..., None],
    fail: Callable[..., None],
) -> None:
    """Ask the model what was planned, and record the call however it ends."""
    plan = await in_database_patiently(claim, generation_id=generation_id)
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
                        await in_database_patiently(finish, plan=plan, finished=event, text=text, progress=progress)
    except llm.ModelError as error:
        await in_database_patiently(fail, plan=plan, error=error, text=text, progress=progress)


write_title = partial(_make_call, claim=services.claim_title, finish=services.finish_title, fail=services.fail_title)
write_trial = partial(_make_call, claim=services.claim_trial, finish=services.finish_trial, fail=services.fail_trial)
