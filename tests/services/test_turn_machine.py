"""Whatever people, workers and the rescue do, in whatever order: the record keeps its promises after every step."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from conversations.live.recorder import Recorder, Recording
from conversations.llm import Finished, ModelError, Usage
from conversations.models import Conversation, Generation, Message, MessageChunk
from conversations.services import (
    AnswerPlan,
    CallProgress,
    Refused,
    claim_answer,
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
from tests.services.calls import fetch, job_of, lose, sql

pytestmark = pytest.mark.django_db(transaction=True)
FAULT = ModelError("provider_down", "HTTP 500")
ENDED = {"completed", "incomplete", "refused", "stopped", "failed", "interrupted"}


type Writers = MultipleResults[tuple[AnswerPlan, Recording]] | tuple[AnswerPlan, Recording]


class Turns(RuleBasedStateMachine):
    """One conversation, the people who press its buttons, and the workers, quick and dead, that write in it."""

    plans: Bundle[tuple[AnswerPlan, Recording]] = Bundle("plans")
    sent: Bundle[tuple[UUID, str]] = Bundle("sent")

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.recorder = Recorder()
        self.seen: dict[UUID, str] = {}
        self.tokens: dict[UUID, UUID] = {}

    def teardown(self) -> None:
        async def close() -> None:
            await self.recorder._drop_connection()

        self.loop.run_until_complete(close())
        self.loop.close()
        empty_tables()

    @initialize(target=sent)
    def begin(self) -> tuple[UUID, str]:
        make_model()
        once = token()
        answer = start_conversation(owner=make_user(), assistant=make_assistant(), prompt="Hi", client_token=once)
        self.conversation = answer.conversation
        self.tokens[once] = answer.pk
        return once, "Hi"

    # -- people ------------------------------------------------------------------------------------------------------

    @rule(target=sent, prompt=st.sampled_from(["More", "Why?"]))
    def send(self, prompt: str) -> MultipleResults[tuple[UUID, str]] | tuple[UUID, str]:
        once = token()
        is_running = self.leaf().is_running
        with unchanged(is_running):
            answer = answer_or_code(
                lambda: send_message(conversation=self.conversation, prompt=prompt, client_token=once)
            )
        assert (answer == "busy") == is_running
        if isinstance(answer, str):
            return multiple()
        self.tokens[once] = answer.pk
        return once, prompt

    @rule(before=sent)
    def send_the_same_again(self, before: tuple[UUID, str]) -> None:
        once, prompt = before
        with unchanged():
            answer = send_message(conversation=self.conversation, prompt=prompt, client_token=once)
        assert answer.pk == self.tokens[once]

    @rule()
    def stop(self) -> None:
        message = self.leaf()
        with unchanged(not message.is_running):
            stopped = answer_or_code(lambda: stop_answer(message=message))
        assert stopped == (message if message.is_running else "not_running")

    @rule()
    def retry(self) -> None:
        message = self.leaf()
        with unchanged(message.is_running):
            retried = answer_or_code(lambda: retry_answer(message=message))
        assert (retried == "busy") == message.is_running
        assert isinstance(retried, str) or retried.parent_id == message.parent_id

    # -- workers -----------------------------------------------------------------------------------------------------

    @rule(target=plans)
    def claim(self) -> Writers:
        message = self.leaf()
        plan = claim_answer(message_id=message.pk)
        assert (plan is not None) == (message.status == "queued")
        if plan is None:
            return multiple()
        fetch(job_of(message))
        recording = Recording(plan.message_id, plan.attempt, lambda: None, lambda _one, _urgent: None)
        return plan, recording

    @rule(by=plans, text=st.text(min_size=1, max_size=6, alphabet="ab é😀\n"))
    def flush(self, by: tuple[AnswerPlan, Recording], text: str) -> None:
        plan, recording = by
        recording.text += text
        current = self.is_current(plan)
        with unchanged(not current):
            self.recorder._recordings = {recording.message_id: recording}
            self.recorder._changed = {recording}
            self.loop.run_until_complete(self.recorder._flush())
        assert recording.is_lost != current
        assert not current or Message.objects.get(pk=plan.message_id).text_so_far() == recording.text

    @rule(by=plans, outcome=st.sampled_from(["completed", "incomplete", "refused"]))
    def finish(self, by: tuple[AnswerPlan, Recording], outcome: str) -> None:
        plan, recording = by
        finished = Finished(outcome, None, Usage(5, 0, 2, 0), "gpt-4o", "")  # type: ignore[arg-type]
        current = self.is_current(plan)
        with unchanged(not current):
            done = finish_answer(plan=plan, finished=finished, text=recording.text, progress=CallProgress())
        assert done == current

    @rule(by=plans)
    def fail(self, by: tuple[AnswerPlan, Recording]) -> None:
        plan, recording = by
        current = self.is_current(plan)
        with unchanged(not current):
            done = fail_answer(plan=plan, error=FAULT, text=recording.text, progress=CallProgress())
        assert done == current

    @rule(target=plans, by=consumes(plans))
    def call_again(self, by: tuple[AnswerPlan, Recording]) -> Writers:
        plan, recording = by
        current = self.is_current(plan)
        if current and recording.text:
            return by  # a writer that has shown text makes no other call
        with unchanged(not current):
            following = next_attempt(plan=plan, error=FAULT)
        assert (following is not None) == current
        if following is None:
            return by
        assert next_attempt(plan=plan, error=FAULT) == following
        return following, recording

    @rule()
    def a_worker_dies(self) -> None:
        message = self.leaf()
        if message.is_running:
            lose(job_of(message))

    @rule(plan=plans)
    def a_worker_hands_over(self, plan: tuple[AnswerPlan, Recording]) -> None:
        current = self.is_current(plan[0])
        with unchanged(not current):
            assert settle(message_id=plan[0].message_id, attempt=plan[0].attempt) == current

    @rule()
    def rescue(self) -> None:
        settle_stalled()
        with unchanged():
            assert settle_stalled() == []

    # -- what always holds -------------------------------------------------------------------------------------------

    @invariant()
    def at_most_one_answer_runs_and_it_is_the_last(self) -> None:
        running = [message.pk for message in Message.objects.running()]
        assert running in ([], [self.leaf().pk])

    @invariant()
    def what_has_ended_has_ended(self) -> None:
        ended = Message.objects.filter(role="assistant", status__in=ENDED)
        assert not ended.filter(finished_at=None).exists()
        assert not MessageChunk.objects.exclude(message__status="streaming").exists()
        assert not Generation.objects.filter(message__in=ended, status__in=Generation.OPEN).exists()
        closed = Generation.objects.exclude(status__in=Generation.OPEN)
        assert not closed.filter(finished_at=None).exists()

    @invariant()
    def what_runs_has_one_open_call_and_it_is_the_last(self) -> None:
        for message in Message.objects.running():
            calls = list(message.generations.order_by("id"))
            assert [call.pk for call in calls if call.status in Generation.OPEN] == [calls[-1].pk]

    @invariant()
    def text_never_shrinks(self) -> None:
        for message in Message.objects.all():
            text = message.text_so_far()
            assert text.startswith(self.seen.get(message.pk, ""))
            self.seen[message.pk] = text

    @invariant()
    def the_tree_is_whole(self) -> None:
        messages = {message.pk: message for message in self.conversation.messages.all()}
        assert all(one.parent_id in messages for one in messages.values() if one.role == "assistant")
        path = Conversation.objects.get(pk=self.conversation.pk).path()
        assert path[-1] == self.leaf()
        assert path[0].parent_id is None
        assert [one.role for one in path] == ["user", "assistant"] * (len(path) // 2)

    @invariant()
    def a_token_is_one_message(self) -> None:
        assert Message.objects.filter(client_token__isnull=False).count() == len(self.tokens)

    # ----------------------------------------------------------------------------------------------------------------

    def leaf(self) -> Message:
        leaf = Conversation.objects.select_related("current_leaf").get(pk=self.conversation.pk).current_leaf
        assert leaf is not None
        return leaf

    def is_current(self, plan: AnswerPlan) -> bool:
        return Message.objects.filter(pk=plan.message_id, status="streaming", attempt=plan.attempt).exists()


def answer_or_code(act: Callable[[], Message]) -> Message | str:
    """Return the message that an act gives, or the code of its refusal."""
    try:
        return act()
    except Refused as refused:
        return refused.code


@contextmanager
def unchanged(expected: bool = True) -> Iterator[None]:
    """Check, where so expected, that nothing is written."""
    before = rows()
    yield
    assert not expected or rows() == before


def rows() -> list[object]:
    return [sorted(model.objects.values_list(), key=str) for model in (Message, Generation, MessageChunk, Conversation)]


def empty_tables() -> None:
    sql(
        "TRUNCATE procrastinate_jobs, procrastinate_workers, conversations_generation, conversations_message,"
        " conversations_conversation, conversations_assistant CASCADE"
    )


def test_every_order_of_events_keeps_the_record_true() -> None:
    run_state_machine_as_test(
        Turns,
        settings=settings(
            max_examples=20,
            stateful_step_count=20,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
