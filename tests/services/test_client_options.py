"""What a client gives with a prompt: who answers, how, and at what length."""

from __future__ import annotations

import pytest

from accounts.models import User
from conversations.models import Assistant, Conversation, Message
from conversations.services import (
    Refusal,
    Refused,
    claim_answer,
    continue_answer,
    retry_answer,
    send_history,
    send_message,
    start_from_history,
)
from conversations.services.client_options import ClientOptions
from tests.factories import make_assistant, make_model, token
from tests.pages.record import end
from tests.services.supplied import OPTIONS, start, told

pytestmark = pytest.mark.django_db


def test_who_answers_from_here_on_may_be_chosen(owner: User, assistant: Assistant) -> None:
    answer = start(owner, assistant, "One")
    end(answer, text="First")
    other, model = make_assistant(), make_model("gpt-4o-mini")
    following = send_history(
        owner=owner,
        conversation_id=answer.conversation_id,
        history=told("One", "First", "Two"),
        client_token=token(),
        assistant=other,
        model=model,
    )
    assert following.assistant == other
    assert following.generations.get().model == model


def test_f18_a_model_that_is_not_offered_is_refused(owner: User, assistant: Assistant) -> None:
    with pytest.raises(Refused) as refused:
        start_from_history(
            owner=owner,
            assistant=assistant,
            history=told("One"),
            client_token=token(),
            model=make_model("gpt-9", is_offered=False),
        )
    assert refused.value.code == Refusal.NO_MODEL
    assert not Conversation.objects.exists()


def test_what_a_client_gave_is_merged_into_the_call_and_a_retry_keeps_it(owner: User) -> None:
    make_model()
    assistant = make_assistant(instructions="Be brief.", parameters={"temperature": 1, "presence": 2})
    answer = start_from_history(
        owner=owner, assistant=assistant, history=told("One"), client_token=token(), options=OPTIONS.stored()
    )
    claim_with_options(answer)
    again = retry_answer(message=answer)
    claim_with_options(again)
    further = claim_answer(message_id=continue_answer(message=again).pk)
    assert further is not None
    assert further.request.instructions.endswith("Answer in French.")


def claim_with_options(answer: Message) -> None:
    plan = claim_answer(message_id=answer.pk)
    assert plan is not None
    assert plan.request.instructions == "Be brief.\n\nAnswer in French."
    assert plan.request.parameters == {"temperature": 0.2, "presence": 2, "max_output_tokens": 100}
    answer.refresh_from_db()
    end(answer, status="stopped", text="Une")


@pytest.mark.parametrize(("asked", "sent"), [(1, 16), (16, 16), (500, 500), (10**9, 16_384)])
def test_the_length_of_an_answer_stays_within_what_provider_and_model_take(
    owner: User, assistant: Assistant, asked: int, sent: int
) -> None:
    options = ClientOptions(parameters={"max_output_tokens": asked}).stored()
    answer = start_from_history(
        owner=owner, assistant=assistant, history=told("One"), client_token=token(), options=options
    )
    plan = claim_answer(message_id=answer.pk)
    assert plan is not None
    assert plan.request.parameters["max_output_tokens"] == sent


def test_nothing_given_is_stored_as_nothing(owner: User, assistant: Assistant) -> None:
    assert ClientOptions(" \n").stored() is None
    answer = start(owner, assistant, "One")
    assert answer.parent is not None
    assert answer.parent.options is None
    plain = send_plain(answer)
    plan = claim_answer(message_id=plain.pk)
    assert plan is not None
    assert plan.request.instructions == assistant.instructions


def send_plain(answer: Message) -> Message:
    end(answer, text="First")
    return send_message(owner=answer.owner, conversation_id=answer.conversation_id, prompt="Two", client_token=token())
