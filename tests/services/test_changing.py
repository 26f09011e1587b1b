"""What an owner changes about a conversation in one go."""

from __future__ import annotations

import pytest

from conversations.models import Conversation
from conversations.services import (
    Answerer,
    Refusal,
    Refused,
    change_conversation,
    choose_answerer,
    conclude_conversation,
    hide_conversation,
    send_message,
    stop_answer,
)
from tests.factories import make_assistant, make_model, token
from tests.services.calls import begin

pytestmark = pytest.mark.django_db


def talk() -> Conversation:
    return stop_answer(message=begin()).conversation


def test_everything_is_changed_at_once() -> None:
    assistant, model = make_assistant(), make_model("gpt-5")
    changed = change_conversation(
        conversation=talk(), title="  Umbrellas ", pinned=True, answerer=Answerer(assistant, model)
    )
    assert (changed.title, changed.is_title_provisional, changed.pinned_at is None) == ("Umbrellas", False, False)
    assert (changed.assistant, changed.model) == (assistant, model)


def test_one_refusal_leaves_everything_as_it_was() -> None:
    conversation = talk()
    before = Conversation.objects.filter(pk=conversation.pk).values().get()
    with pytest.raises(Refused) as refused:
        change_conversation(
            conversation=conversation, title=" ", pinned=True, answerer=Answerer(make_assistant(), None)
        )
    assert refused.value.code == Refusal.EMPTY
    assert Conversation.objects.filter(pk=conversation.pk).values().get() == before


def test_a_title_that_somebody_gave_meanwhile_is_not_overwritten_unseen() -> None:
    conversation = talk()
    with pytest.raises(Refused, match="meanwhile"):
        change_conversation(conversation=conversation, title="Mine", shown_title="Another")


def test_a_hidden_conversation_is_not_changed() -> None:
    conversation = hide_conversation(conversation=talk())
    with pytest.raises(Conversation.DoesNotExist):
        change_conversation(conversation=conversation, pinned=True)
    with pytest.raises(Conversation.DoesNotExist):
        choose_answerer(conversation=conversation, assistant=make_assistant(), model=None)


def test_who_was_chosen_answers_the_next_prompt_and_what_was_said_stays_whoevers_it_was() -> None:
    conversation = talk()
    first, second = conversation.assistant, make_assistant()
    choose_answerer(conversation=conversation, assistant=second, model=make_model("gpt-5"))
    answer = send_message(
        owner=conversation.owner, conversation_id=conversation.pk, prompt="And now?", client_token=token()
    )
    assert answer.assistant_id == second.pk
    assert answer.generations.get().model_asked == "gpt-5"
    assert [said.assistant_id for said in conversation.messages.filter(role="assistant")] == [first.pk, second.pk]


def test_a_model_that_is_not_offered_cannot_be_chosen() -> None:
    conversation = talk()
    with pytest.raises(Refused) as refused:
        choose_answerer(
            conversation=conversation, assistant=conversation.assistant, model=make_model("secret", is_offered=False)
        )
    assert refused.value.code == Refusal.NO_MODEL


def test_an_assistant_for_others_cannot_be_chosen() -> None:
    conversation = talk()
    with pytest.raises(Refused) as refused:
        choose_answerer(conversation=conversation, assistant=make_assistant(is_enabled=False), model=None)
    assert refused.value.code == Refusal.ASSISTANT_UNAVAILABLE


def test_a_concluded_conversation_keeps_who_answered_and_can_be_pinned() -> None:
    conversation = conclude_conversation(conversation=talk())
    with pytest.raises(Refused) as refused:
        change_conversation(conversation=conversation, answerer=Answerer(make_assistant(), None))
    assert refused.value.code == Refusal.CONCLUDED
    assert change_conversation(conversation=conversation, pinned=True).pinned_at is not None
