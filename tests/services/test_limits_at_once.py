"""Nobody gets past their limits, however many of their answers begin or end at once."""

from functools import partial

import pytest
from pytest_django import Settings

from accounts.models import User
from conversations.models import Assistant, Conversation, Generation, Message, UsageDay
from conversations.services import (
    AnswerPlan,
    Refused,
    finish_answer,
    send_message,
    stop_answer,
)
from conversations.services.calls import CallProgress
from tests.factories import make_assistant, make_model, make_user, token
from tests.services.calls import FINISHED, claim, sql
from tests.services.limited import begin, limit, use
from tests.together import at_once

pytestmark = pytest.mark.django_db


def test_q1_more_answers_at_once_than_one_person_may_have_are_refused_and_others_are_not(
    owner: User, assistant: Assistant, settings: Settings
) -> None:
    settings.MAX_PARALLEL_ANSWERS = 2
    first = begin(owner, assistant)
    begin(owner, assistant)
    with pytest.raises(Refused) as refused:
        begin(owner, assistant)
    assert refused.value.message.startswith("2 of your answers are being written, and more cannot be at once.")
    assert (refused.value.status, refused.value.retry_after) == (429, 15)
    begin(make_user(), assistant)
    stop_answer(message=first)
    begin(owner, assistant)


def send_at_once(owner: User, conversations: list[Conversation]) -> list[str]:
    """Send to many conversations at the same moment, each from a thread of its own; return what came of each."""

    def send(conversation: Conversation) -> str:
        send_message(owner=owner, conversation_id=conversation.pk, prompt="Hello", client_token=token())
        return "sent"

    came = at_once(*(partial(send, conversation) for conversation in conversations), refusals=(Refused,))
    return sorted(str(getattr(one, "code", one)) for one in came)


def make_conversations(owner: User, count: int) -> list[Conversation]:
    make_model()
    assistant = make_assistant()
    return Conversation.objects.bulk_create(
        Conversation(owner=owner, assistant=assistant, title=f"Number {number}") for number in range(count)
    )


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("measure", ["tokens", "money"])
def test_q3_of_50_sends_at_once_with_one_left_exactly_one_goes_through(settings: Settings, measure: str) -> None:
    settings.MAX_PARALLEL_ANSWERS = 100
    owner = make_user()
    conversations = make_conversations(owner, 50)
    limit(100, measure)
    use(owner, 99, cost="99.9999")

    assert send_at_once(owner, conversations) == ["limit"] * 49 + ["sent"]

    assert Message.objects.count() == 2
    assert Generation.objects.count() == 1
    assert sql("SELECT count(*) FROM procrastinate_jobs") == [(1,)]


@pytest.mark.django_db(transaction=True)
def test_q1_of_50_sends_at_once_as_many_go_through_as_one_person_may_have() -> None:
    owner = make_user()
    conversations = make_conversations(owner, 50)
    assert send_at_once(owner, conversations) == ["limit"] * 30 + ["sent"] * 20
    assert Message.objects.running().count() == 20


@pytest.mark.django_db(transaction=True)
def test_calls_of_one_person_that_end_at_once_are_all_added_and_never_lock_each_other_out() -> None:
    owner = make_user()
    conversations = make_conversations(owner, 16)
    answers = [
        send_message(owner=owner, conversation_id=conversation.pk, prompt="Hello", client_token=token())
        for conversation in conversations
    ]
    plans = [claim(answer) for answer in answers]

    def finish(plan: AnswerPlan) -> bool:
        return finish_answer(plan=plan, finished=FINISHED, text="", progress=CallProgress())

    ends = at_once(*(partial(finish, plan) for plan in plans))

    assert ends == [True] * 16
    day = UsageDay.objects.get()
    assert (day.calls, day.input_tokens, day.output_tokens) == (16, 160, 48)
