"""A conversation is concluded by its owner, or by the policy, and from then on it is only read."""

from __future__ import annotations

import datetime
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connections, transaction
from django.utils import timezone
from pytest_django import Settings

from conversations.llm import Finished, ModelError, Usage
from conversations.models import Attachment, Conversation, Generation, Message
from conversations.services import (
    CallProgress,
    Refusal,
    Refused,
    claim_title,
    conclude_conversation,
    conclude_idle,
    edit_prompt,
    fail_answer,
    finish_title,
    hide_conversation,
    leave_response,
    rename_conversation,
    retry_answer,
    retry_file,
    send_message,
    stop_answer,
)
from conversations.services.reconciling import Difference, Kind, repair
from tests.factories import make_file, token
from tests.services.calls import begin, claim, jobs, title_of
from tests.services.concluded import answer_it, make_answered, make_concluded

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("folder")]


def refusal(function: Callable[..., Any], **arguments: Any) -> Refusal:
    with pytest.raises(Refused) as refused:
        function(**arguments)
    assert refused.value.message.endswith(".")
    return refused.value.code


def answer_of(conversation: Conversation) -> Message:
    answer = conversation.current_leaf
    assert answer is not None
    return answer


def age(conversation: Conversation, days: float) -> None:
    then = timezone.now() - datetime.timedelta(days=days)
    Conversation.objects.filter(pk=conversation.pk).update(last_activity_at=then)


def test_its_owner_concludes_it_and_a_job_seals_it() -> None:
    conversation = make_answered()
    concluded = conclude_conversation(conversation=conversation)
    conversation.refresh_from_db()
    assert (conversation.state, conversation.concluded_by) == ("concluded", "owner")
    assert concluded.concluded_at == conversation.concluded_at is not None
    assert jobs("conversations.tasks.seal") == [{"conversation_id": str(conversation.pk)}]


def test_it_is_concluded_once() -> None:
    conversation = make_concluded()
    at = conversation.concluded_at
    assert refusal(conclude_conversation, conversation=conversation) == Refusal.CONCLUDED
    conversation.refresh_from_db()
    assert conversation.concluded_at == at
    assert len(jobs("conversations.tasks.seal")) == 1


@pytest.mark.parametrize("begun", [True, False], ids=["written", "waiting"])
def test_it_is_not_concluded_while_an_answer_runs(begun: bool) -> None:
    answer = begin()
    if begun:
        claim(answer)
    assert refusal(conclude_conversation, conversation=answer.conversation) == Refusal.BUSY
    answer.conversation.refresh_from_db()
    assert answer.conversation.is_open
    assert jobs("conversations.tasks.seal") == []


def test_a_hidden_one_is_not_there_to_be_concluded() -> None:
    conversation = make_answered()
    hide_conversation(conversation=conversation)
    with pytest.raises(Conversation.DoesNotExist):
        conclude_conversation(conversation=conversation)


def test_nothing_is_said_edited_retried_or_renamed_afterwards() -> None:
    conversation = make_concluded()
    answer = answer_of(conversation)
    assert answer.parent is not None
    rows = snapshot(conversation)
    said: dict[str, Any] = {"prompt": "More", "client_token": token()}
    owned = {"owner": conversation.owner, "conversation_id": conversation.pk}
    edited: dict[str, Any] = {"message": answer.parent, "attachment_ids": [], "kept_files": []}
    assert refusal(send_message, **owned, **said) == Refusal.CONCLUDED
    assert refusal(edit_prompt, **edited, **said) == Refusal.CONCLUDED
    assert refusal(retry_answer, message=answer) == Refusal.CONCLUDED
    assert refusal(rename_conversation, conversation=conversation, title="Other") == Refusal.CONCLUDED
    assert refusal(stop_answer, message=answer) == Refusal.NOT_RUNNING
    assert snapshot(conversation) == rows


def test_a_failed_file_is_not_fetched_again_afterwards() -> None:
    conversation = make_answered()
    lost = make_file(
        conversation.owner, message=answer_of(conversation), data=None, origin="model", container_file_id="cfile_1"
    )
    conclude_conversation(conversation=conversation)
    assert refusal(retry_file, attachment=lost) == Refusal.CONCLUDED
    lost.refresh_from_db()
    assert lost.state == "failed"


def test_a_title_that_comes_too_late_is_not_taken() -> None:
    answer = answer_it(begin())
    plan = claim_title(generation_id=title_of(answer).pk)
    assert plan is not None
    conclude_conversation(conversation=answer.conversation)
    finished = Finished("completed", "A late title", Usage(9, 0, 3, 0), "gpt-4o", "")
    finish_title(plan=plan, finished=finished, text="A late title", progress=CallProgress())
    answer.conversation.refresh_from_db()
    assert (answer.conversation.title, answer.conversation.is_title_provisional) == ("Hello", True)
    assert title_of(answer).status == "completed"


def test_a_title_that_was_not_begun_is_not_asked_for() -> None:
    answer = answer_it(begin())
    conclude_conversation(conversation=answer.conversation)
    assert claim_title(generation_id=title_of(answer).pk) is None
    assert title_of(answer).status == "stopped"


def test_a_response_that_is_left_late_is_forgotten_and_its_call_stays() -> None:
    answer = begin()
    plan = claim(answer)
    Generation.objects.filter(pk=plan.generation_id).update(parameters={"background": True})
    stop_answer(message=answer)
    conclude_conversation(conversation=answer.conversation)
    leave_response(plan=plan, progress=CallProgress("resp_late"))
    assert Generation.objects.get(pk=plan.generation_id).response_id == ""
    assert jobs("conversations.tasks.forget_response") == [{"response_id": "resp_late"}]


def test_a_writer_that_was_thought_dead_changes_nothing() -> None:
    answer = begin()
    plan = claim(answer)
    stop_answer(message=answer)
    conversation = conclude_conversation(conversation=answer.conversation)
    rows = snapshot(conversation)
    fault = ModelError("provider_down", "HTTP 500")
    assert not fail_answer(plan=plan, error=fault, text="Late", progress=CallProgress())
    assert snapshot(conversation) == rows


def test_a_file_that_storage_lost_stays_as_it_was_sealed() -> None:
    make_concluded()
    file = Attachment.objects.get()
    assert not repair(difference=Difference(Kind.MISSING, file.key, "is gone", file.pk))
    file.refresh_from_db()
    assert file.state == "ready"


@pytest.mark.parametrize(
    ("days", "idle", "is_concluded"),
    [(0, 4000, False), (30, 31, True), (30, 29, False)],
    ids=["never", "idle", "not yet"],
)
def test_the_policy_concludes_what_was_idle_for_so_many_days(
    settings: Settings, days: int, idle: float, is_concluded: bool
) -> None:
    settings.CONCLUDE_AFTER_IDLE_DAYS = days
    conversation = make_answered()
    age(conversation, idle)
    assert conclude_idle() == is_concluded
    conversation.refresh_from_db()
    assert (not conversation.is_open) == is_concluded
    assert conversation.concluded_by == ("policy" if is_concluded else "")
    assert conclude_idle() == 0


def test_the_policy_leaves_what_is_answered_and_takes_what_is_hidden(settings: Settings) -> None:
    settings.CONCLUDE_AFTER_IDLE_DAYS = 1
    running, hidden, concluded = begin().conversation, make_answered(), make_concluded()
    hide_conversation(conversation=hidden)
    for conversation in (running, hidden, concluded):
        age(conversation, 2)
    assert conclude_idle() == 1
    hidden.refresh_from_db()
    running.refresh_from_db()
    assert (running.state, hidden.state) == ("open", "concluded")


@pytest.mark.django_db(transaction=True)
def test_the_policy_passes_over_one_in_which_something_is_being_said(settings: Settings) -> None:
    settings.CONCLUDE_AFTER_IDLE_DAYS = 1
    conversation = make_answered()
    age(conversation, 2)
    counts: list[int] = []

    def conclude() -> None:
        counts.append(conclude_idle())
        connections.close_all()

    with transaction.atomic():
        send_message(
            owner=conversation.owner, conversation_id=conversation.pk, prompt="Still here", client_token=token()
        )
        policy = threading.Thread(target=conclude)
        policy.start()
        policy.join(20)
    assert counts == [0]
    conversation.refresh_from_db()
    assert conversation.is_open
    assert conclude_idle() == 0


@pytest.mark.django_db(transaction=True)
def test_a_send_and_a_conclusion_at_once_take_turns() -> None:
    conversation = make_answered()
    told: list[str] = []

    def say() -> None:
        try:
            send_message(owner=conversation.owner, conversation_id=conversation.pk, prompt="Wait", client_token=token())
            told.append("sent")
        except Refused as refused:
            told.append(refused.code)
        finally:
            connections.close_all()

    def conclude() -> None:
        try:
            conclude_conversation(conversation=conversation)
            told.append("concluded it")
        except Refused as refused:
            told.append(refused.code)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=doing) for doing in (say, conclude)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(told) in (["busy", "sent"], ["concluded", "concluded it"])


def snapshot(conversation: Conversation) -> list[object]:
    return [
        list(Conversation.objects.filter(pk=conversation.pk).values_list()),
        list(conversation.messages.order_by("id").values_list()),
        list(conversation.generations.order_by("id").values_list()),
        list(Attachment.objects.filter(message__conversation=conversation).order_by("id").values_list()),
    ]
