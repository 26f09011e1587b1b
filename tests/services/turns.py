"""Everything that people, workers and the rescue do with a conversation, as steps that may come in any order."""

import asyncio
from collections.abc import Callable
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import (
    initialize,
    precondition,
    rule,
)

from conversations.live.recorder import Recorder, Recording
from conversations.llm import Finished, ModelError, Usage
from conversations.models import Message
from conversations.services import (
    AnswerPlan,
    CallProgress,
    Refused,
    claim_answer,
    continue_answer,
    edit_prompt,
    fail_answer,
    finish_answer,
    next_attempt,
    retry_answer,
    send_message,
    settle,
    settle_stalled,
    start_conversation,
    stop_answer,
)
from tests.factories import make_assistant, make_model, make_user, token
from tests.services.calls import fetch, job_of, lose
from tests.services.promises import Promises, empty_tables, unchanged

FAULT = ModelError("provider_down", "HTTP 500")
PROMPT = "What is a record?"
OUTCOMES = ["completed", "incomplete", "refused", "failed", "handed over"]

Writer = tuple[AnswerPlan, Recording]


class Turns(Promises):
    """One conversation, the people who press its buttons, and the workers, quick and dead, that write in it."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.recorder = Recorder()
        self.writers: list[Writer] = []

    def teardown(self) -> None:
        self.loop.run_until_complete(self.recorder._drop_connection())
        self.loop.close()
        empty_tables()

    @initialize()
    def begin(self) -> None:
        make_model()
        once = token()
        answer = start_conversation(owner=make_user(), assistant=make_assistant(), prompt=PROMPT, client_token=once)
        self.conversation = answer.conversation
        self.tokens[once] = answer.pk
        self.claim()

    # -- people ------------------------------------------------------------------------------------------------------

    @rule(data=st.data(), button=st.sampled_from(["send", "send again", "stop", "retry", "edit", "send", "continue"]))
    def a_person_presses(self, data: st.DataObject, button: str) -> None:
        if button == "send":
            self.send(data)
        elif button == "send again":
            self.send_the_same_again(data)
        elif button == "stop":
            self.stop()
        elif button == "continue":
            self.go_on(data)
        else:
            self.retry_or_edit(data, button)

    def send(self, data: st.DataObject) -> None:
        once, is_running, before = token(), self.leaf().is_running, self.leaf()
        parent = data.draw(st.sampled_from([None, *self.said("assistant")]))
        with unchanged(is_running):
            answer = self.say(once, parent)
        assert (answer == "busy") == is_running
        if not isinstance(answer, str):
            assert answer.parent is not None
            assert answer.parent.parent_id == (parent or before).pk
            self.tokens[once] = answer.pk

    def send_the_same_again(self, data: st.DataObject) -> None:
        once, made = data.draw(st.sampled_from(list(self.tokens.items())))
        with unchanged():
            answer = self.say(once)
        assert not isinstance(answer, str)
        assert answer.pk == made

    def stop(self) -> None:
        message = self.leaf()
        with unchanged(not message.is_running):
            answer = answer_or_code(lambda: stop_answer(message=message))
        assert answer == (message if message.is_running else "not_running")

    def retry_or_edit(self, data: st.DataObject, button: str) -> None:
        """Make another version of anything that was said, wherever it stands."""
        once, is_running = token(), self.leaf().is_running
        message = data.draw(st.sampled_from(self.said("assistant" if button == "retry" else "user")))
        with unchanged(is_running):
            answer = answer_or_code(
                lambda: (
                    retry_answer(message=message)
                    if button == "retry"
                    else edit_prompt(message=message, prompt=PROMPT, client_token=once)
                )
            )
        assert (answer == "busy") == is_running
        if not isinstance(answer, str):
            made = answer if button == "retry" else answer.parent
            assert made is not None
            assert (made.parent_id, made.role, made.pk != message.pk) == (message.parent_id, message.role, True)
            if button == "edit":
                self.tokens[once] = answer.pk

    def go_on(self, data: st.DataObject) -> None:
        message = data.draw(st.sampled_from(self.said("assistant")))
        before = message.children.count()
        answer = answer_or_code(lambda: continue_answer(message=message))
        if isinstance(answer, str):
            assert answer == ("busy" if message.is_running or message.is_cut_off else "not_continuable")
            assert answer == "not_continuable" or self.leaf().is_running
        else:
            assert message.is_cut_off
            assert answer.parent is not None
            assert answer.parent.parent_id == message.pk
            assert message.children.count() - before in (0, 1)  # however often it is pressed, once
            self.continued.add(answer.pk)

    # -- workers -----------------------------------------------------------------------------------------------------

    @rule(data=st.data(), deed=st.sampled_from(["claim", "flush", "flush", "flush", "call again", *OUTCOMES]))
    def a_worker_works(self, data: st.DataObject, deed: str) -> None:
        if deed == "claim":
            if self.leaf().status == "queued":
                self.claim()
        elif deed == "flush":
            self.flush(data, data.draw(st.text(min_size=1, max_size=6, alphabet="ab é😀\n")))
        elif deed == "call again":
            self.call_again(data)
        else:
            self.end(data, deed)

    def claim(self) -> None:
        message = self.leaf()
        plan = claim_answer(message_id=message.pk)
        assert plan is not None
        assert claim_answer(message_id=message.pk) is None
        fetch(job_of(message))
        self.writers.append((plan, Recording(plan.message_id, plan.attempt, lambda: None, lambda _one, _urgent: None)))

    def flush(self, data: st.DataObject, text: str) -> None:
        plan, recording = self.writers[self.pick(data)]
        recording.text += text
        current = self.is_current(plan)
        with unchanged(not current):
            self.recorder._recordings = {recording.message_id: recording}
            self.recorder._changed, self.recorder._is_due = {recording}, True
            self.loop.run_until_complete(self.recorder._flush())
        assert recording.is_lost != current
        assert not current or Message.objects.get(pk=plan.message_id).text_so_far() == recording.text

    def end(self, data: st.DataObject, outcome: str) -> None:
        plan, recording = self.writers[self.pick(data)]
        current, text, told = self.is_current(plan), recording.text, CallProgress()
        with unchanged(not current):
            if outcome == "failed":
                done = fail_answer(plan=plan, error=FAULT, text=text, progress=told)
            elif outcome == "handed over":
                done = settle(message_id=plan.message_id, attempt=plan.attempt)
            else:
                finished = Finished(outcome, None, Usage(5, 0, 2, 0), "gpt-4o", "")  # type: ignore[arg-type]
                done = finish_answer(plan=plan, finished=finished, text=text, progress=told)
        assert done == current

    def call_again(self, data: st.DataObject) -> None:
        index = self.pick(data)
        plan, recording = self.writers[index]
        current = self.is_current(plan)
        if current and recording.text:
            return  # a writer that has shown text makes no other call
        with unchanged(not current):
            following = next_attempt(plan=plan, error=FAULT)
        assert (following is not None) == current
        if following is not None:
            assert next_attempt(plan=plan, error=FAULT) == following
            self.writers[index] = following, recording

    @precondition(lambda self: self.leaf().is_running)
    @rule(is_taken_again=st.booleans())
    def a_worker_dies(self, is_taken_again: bool) -> None:
        lose(job_of(self.leaf()))
        assert settle_stalled() == [self.leaf().pk]
        with unchanged():
            assert settle_stalled() == []
            assert not settle(message_id=self.leaf().pk)
        if is_taken_again and self.leaf().status == "queued":
            self.claim()

    # ----------------------------------------------------------------------------------------------------------------

    def say(self, once: UUID, parent: Message | None = None) -> Message | str:
        return answer_or_code(
            lambda: send_message(
                owner=self.conversation.owner,
                conversation_id=self.conversation.pk,
                prompt=PROMPT,
                client_token=once,
                parent_id=parent.pk if parent else None,
            )
        )

    def said(self, role: str) -> list[Message]:
        """What was said on all paths, by one of the two."""
        return list(self.conversation.messages.filter(role=role).select_related("conversation", "owner"))

    def pick(self, data: st.DataObject) -> int:
        """Choose a writer: the latest one, or one that was left behind."""
        last = len(self.writers) - 1
        chosen: int = data.draw(st.sampled_from([last, *range(max(0, last - 2), last)]))
        return chosen

    def is_current(self, plan: AnswerPlan) -> bool:
        return Message.objects.filter(pk=plan.message_id, status="streaming", attempt=plan.attempt).exists()


def answer_or_code(act: Callable[[], Message]) -> Message | str:
    """Return the message that an act gives, or the code of its refusal."""
    try:
        return act()
    except Refused as refused:
        return refused.code
