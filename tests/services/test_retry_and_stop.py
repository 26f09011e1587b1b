"""Asking again makes a sibling; stopping keeps what was written. Neither touches anything else."""

import pytest

from conversations.models import Message, MessageChunk
from conversations.services import Refused, retry_answer, start_conversation, stop_answer
from tests.factories import make_assistant, make_model, make_user, token

pytestmark = pytest.mark.django_db


@pytest.fixture
def answer() -> Message:
    make_model()
    return start_conversation(owner=make_user(), assistant=make_assistant(), prompt="Hello", client_token=token())


def test_a_retry_is_a_sibling_and_the_old_answer_stays(answer: Message) -> None:
    stop_answer(message=answer)
    retried = retry_answer(message=answer)

    assert retried.pk != answer.pk
    assert retried.parent_id == answer.parent_id
    assert Message.objects.get(pk=answer.pk).status == "stopped"
    assert [message.pk for message in answer.conversation.__class__.objects.get().path()] == [
        answer.parent_id,
        retried.pk,
    ]


def test_a_prompt_is_not_retried(answer: Message) -> None:
    assert answer.parent is not None
    with pytest.raises(Refused) as refused:
        retry_answer(message=answer.parent)
    assert refused.value.code == "not_retryable"


def test_stopping_folds_the_live_text_in_order_and_estimates_the_usage(answer: Message) -> None:
    Message.objects.update_or_create(pk=answer.pk, defaults={"status": "streaming", "attempt": 1})
    answer.generations.update(status="running", started_at=answer.created_at, input_tokens=10)
    MessageChunk.objects.create(message=answer, start=6, text="world")
    MessageChunk.objects.create(message=answer, start=0, text="Hello ")

    stopped = stop_answer(message=answer)

    assert (stopped.status, stopped.text) == ("stopped", "Hello world")
    assert not MessageChunk.objects.exists()
    call = answer.generations.get()
    assert (call.status, call.usage_source, call.input_tokens) == ("stopped", "estimated", 10)
    assert call.output_tokens
    assert call.cost is not None


def test_an_unknown_price_leaves_the_cost_unknown() -> None:
    make_model(priced=False)
    answer = start_conversation(owner=make_user(), assistant=make_assistant(), prompt="Hi", client_token=token())
    answer.generations.update(status="running", started_at=answer.created_at, input_tokens=10)
    stop_answer(message=answer)
    call = answer.generations.get()
    assert call.input_tokens == 10
    assert call.cost is None


def test_an_ended_answer_cannot_be_stopped(answer: Message) -> None:
    stop_answer(message=answer)
    with pytest.raises(Refused) as refused:
        stop_answer(message=answer)
    assert refused.value.code == "not_running"


def test_i4_the_same_retry_sent_twice_is_one_answer(answer: Message) -> None:
    stop_answer(message=answer)
    once = token()
    retried = retry_answer(message=answer, client_token=once)

    assert retry_answer(message=answer, client_token=once).pk == retried.pk
    assert retried.client_token == once
    stop_answer(message=retried)
    assert retry_answer(message=answer, client_token=once).pk == retried.pk
    assert Message.objects.filter(parent=answer.parent).count() == 2


def test_the_token_of_something_else_is_no_retry(answer: Message) -> None:
    assert answer.parent is not None
    assert answer.parent.client_token is not None
    stop_answer(message=answer)
    with pytest.raises(Refused) as refused:
        retry_answer(message=answer, client_token=answer.parent.client_token)
    assert refused.value.code == "token_reused"
    assert Message.objects.filter(parent=answer.parent).count() == 1


def test_while_an_answer_runs_no_token_lets_another_retry_begin(answer: Message) -> None:
    with pytest.raises(Refused) as refused:
        retry_answer(message=answer, client_token=token())
    assert refused.value.code == "busy"
