"""Writing one answer: claim it, stream it from the model, record it, end it."""

from __future__ import annotations

import asyncio
import datetime
import logging
import random
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from conversations import llm, services
from conversations.live.database import in_database, in_database_patiently
from conversations.live.made_files import MadeFiles
from conversations.live.recorder import Recording, recorder
from conversations.live.sent_files import SentFiles
from conversations.services import AnswerPlan, CallProgress
from conversations.text import clean_text

logger = logging.getLogger(__name__)

MAX_CALLS = 3
MAX_RESUMES = 5  # pauses included, the link to the provider may be down for half a minute
MAX_WAIT_SECONDS = 120.0
MAX_STEPS = 8  # calls of one answer that goes on after the functions it called
BETWEEN_STEPS = "\n\n"
ENDING_SECONDS = 5.0  # that an ending may still take when the worker goes down


async def write_answer(message_id: UUID, *, is_stopped: Callable[[], bool]) -> None:
    """Answer a message that is queued; return when it has ended, whoever ended it.

    `is_stopped` tells, when the task is cancelled, whether a person stopped the answer (then it has ended already) or
    the worker is going down (then it is settled like the answer of a dead worker). An answer that another writer has
    taken is left alone, its provider stream closed.
    """
    plan = await in_database_patiently(services.claim_answer, message_id=message_id)
    if plan is None:
        return
    task = asyncio.current_task()
    assert task is not None  # noqa: S101 (this is a coroutine)
    recording = recorder().open(message_id, plan.attempt, saved_text=plan.saved_text, on_lost=task.cancel)
    writer = _Writer(plan, recording)
    try:
        await writer.run()
    except asyncio.CancelledError:
        if recording.is_lost:
            logger.info("Answer %s was ended or taken by somebody else.", message_id)
            task.uncancel()
            await surely(writer.leave())
        elif is_stopped():
            recorder().close(recording)  # which would find it lost, and cancel us again
            await surely(writer.leave())
            raise
        else:
            await surely(_hand_over(plan, recording))
            raise
    except Exception:
        # A mistake of ours, or a database that stayed away. Nobody writes on, so whoever waits is told now.
        await _hand_over(plan, recording)
        raise
    finally:
        recorder().close(recording)


async def surely(last: Coroutine[Any, Any, None]) -> None:
    """Do the last thing of an answer even where the task is cancelled once more meanwhile."""
    task = asyncio.ensure_future(last)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task], timeout=ENDING_SECONDS)
        raise


async def _hand_over(plan: AnswerPlan, recording: Recording) -> None:
    """Settle our own answer, which we cannot finish; what has arrived is saved first."""
    await recorder().save(recording)
    await in_database(services.settle, message_id=plan.message_id, attempt=plan.attempt)


@dataclass
class _Writer:
    plan: AnswerPlan
    recording: Recording
    progress: CallProgress = field(default_factory=CallProgress)
    calls: int = 0
    resumes: int = 0
    is_heard: bool = False  # the response has begun to speak over the present connection
    was_shortened: bool = False

    def __post_init__(self) -> None:
        self.made = MadeFiles(self.recording.show)
        self.sent = SentFiles()

    @property
    def said(self) -> str:
        """What the present call wrote: the answer's text without that of its earlier steps."""
        return self.recording.text[self.plan.before :]

    async def run(self) -> None:
        while True:
            try:
                finished = await self._stream()
            except llm.ModelError as error:
                if not await self._goes_on_after(error):
                    await self._fail(error)
                    return
                continue
            await self.made.save(self.plan)
            outputs = await self.made.answer_calls(self.plan)
            if not outputs or finished.outcome != "completed" or self.plan.step >= MAX_STEPS:
                await self._finish(finished)
                return
            if not await self._next_step(finished, outputs):
                return

    async def _next_step(self, finished: llm.Finished, outputs: tuple[dict[str, Any], ...]) -> bool:
        """Make the next call, which is told what the functions brought that the model called."""
        plan = await in_database_patiently(
            services.next_step,
            plan=self.plan,
            finished=finished,
            text=self.recording.text,
            progress=self.progress,
            items=(*self.plan.request.items, *finished.follow_up, *outputs),
        )
        if plan is None:
            await self._lose()
            return False
        self.plan = plan
        self.calls = self.resumes = 0
        self.recording.show("")
        return True

    async def _stream(self) -> llm.Finished:
        self.is_heard = False
        self.made.forget()  # a response that is resumed tells all of it again
        events: AsyncIterator[llm.Event]
        if self.plan.response_id:
            known = self.said.removeprefix(BETWEEN_STEPS) if self.plan.before else self.said
            events = _without_first(llm.resume(self.plan.response_id), len(known))
        else:
            self.calls += 1
            self.progress = CallProgress()
            events = llm.stream(await self.sent.with_files(self.plan))
        async with aclosing(events) as stream:  # type: ignore[type-var]
            async for event in stream:
                match event:
                    case llm.Text(text=text):
                        self._take(text)
                    case llm.Started():
                        self._note(event)
                    case llm.Activity(line=line):
                        self.recording.show(line)
                    case llm.FunctionCall() | llm.ImageMade() | llm.ContainerFile() | llm.Container():
                        self.made.take(event)
                    case llm.Finished():
                        return event
        raise llm.ModelError("connection", "The events ended without a last one.")

    def _take(self, text: str) -> None:
        if self.progress.first_text_at is None:
            self.progress = replace(self.progress, first_text_at=datetime.datetime.now(datetime.UTC))
            if self.recording.activity:
                self.recording.show("")
            if self.plan.before and not self.said:
                text = BETWEEN_STEPS + text
        self.recording.add(clean_text(text))

    def _note(self, started: llm.Started) -> None:
        self.is_heard = True
        self.progress = replace(
            self.progress, response_id=started.response_id, request_id=started.request_id, model=started.model
        )
        recorder().note_started(self.plan.generation_id, started.response_id, started.request_id, started.model)
        if self.calls + self.resumes > 1:
            self.recording.show("")  # the waiting that was told of is over

    async def _goes_on_after(self, error: llm.ModelError) -> bool:
        """Prepare to go on where that may help: with the same response, or with another call.

        Another call is made only while nothing has been shown, and for a fault that can pass.
        """
        if await self._resumes_after(error):
            return True
        if self.said or self.plan.response_id or self.calls >= MAX_CALLS:
            return False
        shorten = error.code == "too_long" and not self.was_shortened and len(self.plan.request.turns) > 1
        wait = _pause(error, self.calls)
        if not shorten and (not error.retryable or wait > MAX_WAIT_SECONDS):
            return False
        self.was_shortened = self.was_shortened or shorten
        if not shorten:
            await self._wait(f"The provider is busy. Trying again in {max(1, round(wait))} s…", wait)
        plan = await in_database_patiently(services.next_attempt, plan=self.plan, error=error, shorten=shorten)
        if plan is None:
            await self._lose()
            return False
        self.plan = plan
        return True

    async def _lose(self) -> None:
        self.recording.lose()
        await asyncio.sleep(0)  # the cancellation that losing it asked for arrives here

    async def _resumes_after(self, error: llm.ModelError) -> bool:
        """Go on with a background response, which the provider keeps writing while the link to it is broken."""
        is_background = bool(self.plan.response_id) or bool(self.plan.request.as_sent().get("background"))
        response_id = self.plan.response_id or self.progress.response_id
        # Once the response has spoken, another fault than of the link is its own end.
        can_pass = error.code == "connection" or (error.retryable and bool(self.plan.response_id) and not self.is_heard)
        if not (can_pass and is_background and response_id) or self.resumes >= MAX_RESUMES:
            return False
        self.resumes += 1
        await self._wait("The connection to the model broke off. Going on in a moment…", _pause(error, self.resumes))
        self.plan = replace(self.plan, response_id=response_id)
        return True

    async def _wait(self, line: str, seconds: float) -> None:
        self.recording.show(line)
        await asyncio.sleep(seconds)

    async def _finish(self, finished: llm.Finished) -> None:
        if finished.text is not None:
            earlier = self.recording.text[: self.plan.before]
            between = BETWEEN_STEPS if earlier else ""
            finished = replace(finished, text=earlier + between + clean_text(finished.text))
            if finished.text != self.recording.text:
                logger.warning("Answer %s: the final text differs from what was streamed.", self.plan.message_id)
        await self._end(services.finish_answer, finished=finished)

    async def _fail(self, error: llm.ModelError) -> None:
        await self.made.save(self.plan)  # what was handed out before the fault was paid for
        await self.made.answer_calls(self.plan)
        cut_short = bool(self.recording.text) and error.code in ("connection", "timeout", "protocol")
        await self._end(services.fail_answer, error=error, status="interrupted" if cut_short else "failed")
        logger.warning(
            "Answer %s failed: %s %s", self.plan.message_id, error.code, f"(request {error.request_id or 'unknown'})"
        )

    async def _end(self, service: Callable[..., bool], **how: object) -> None:
        """Have the answer ended, whole text and all. A worker that goes down meanwhile lets that be done first."""
        text = self.recording.text
        recorder().close(self.recording)  # the ending writes the text
        ending = asyncio.ensure_future(
            in_database_patiently(service, plan=self.plan, text=text, progress=self.progress, **how)
        )
        try:
            await asyncio.shield(ending)
        except asyncio.CancelledError:
            await asyncio.wait([ending], timeout=ENDING_SECONDS)
            raise
        finally:
            if ending.done() and not ending.cancelled() and ending.exception() is None:
                self.recording.saved = len(text)

    async def leave(self) -> None:
        """Have the provider's copy of a response forgotten that was ended by others before they could know of it."""
        if self.progress.response_id and self.plan.request.as_sent().get("background"):
            await in_database_patiently(services.leave_response, plan=self.plan, progress=self.progress)


def _pause(error: llm.ModelError, calls: int) -> float:
    """Return how many seconds to wait: what the provider asks for, otherwise 1, 2, 4 … with jitter."""
    if error.retry_after is not None:
        return error.retry_after
    return 2.0 ** (calls - 1) * random.uniform(0.75, 1.25)  # noqa: S311 (no secret)


async def _without_first(events: AsyncIterator[llm.Event], characters: int) -> AsyncIterator[llm.Event]:
    """Drop the text that is already saved from a response that is replayed from its beginning."""
    async for event in events:
        if isinstance(event, llm.Text) and characters:
            dropped = min(characters, len(event.text))
            characters -= dropped
            if event.text[dropped:]:
                yield llm.Text(event.text[dropped:])
        else:
            yield event
