"""Programs that hold a conversation themselves say all of it each time: it is recorded once, and told from our own."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from accounts.models import User
from conversations.models import Assistant, Conversation, Generation, Message
from conversations.services import (
    Refusal,
    Refused,
    Said,
    claim_answer,
    conclude_conversation,
    continue_conversation,
    hide_conversation,
    rate_answer,
    retry_answer,
    send_history,
    start_from_history,
)
from conversations.services.supplying import MAX_TURNS
from tests.factories import make_user, token
from tests.pages.record import end
from tests.services.supplied import OPTIONS, go_on, go_on_with, start, texts, told

pytestmark = pytest.mark.django_db


def test_what_was_said_before_is_stored_as_supplied_and_only_the_last_prompt_is_answered(
    owner: User, assistant: Assistant
) -> None:
    answer = start(owner, assistant, "One", "First", "Two")
    assert texts(answer.conversation) == [
        ("user", "One", True),
        ("assistant", "First", True),
        ("user", "Two", False),
        ("assistant", "", False),
    ]
    assert Generation.objects.get().message == answer
    assert (answer.conversation.title, answer.conversation.is_title_provisional) == ("One", False)
    assert {message.status for message in answer.conversation.messages.exclude(pk=answer.pk)} == {"completed"}
    end(answer, text="Second")
    assert not Generation.objects.filter(purpose="title").exists()


def test_the_model_is_shown_what_was_supplied(owner: User, assistant: Assistant) -> None:
    answer = start(owner, assistant, "One", "First", "Two")
    plan = claim_answer(message_id=answer.pk)
    assert plan is not None
    assert [(turn.role, turn.text) for turn in plan.request.turns] == [
        ("user", "One"),
        ("assistant", "First"),
        ("user", "Two"),
    ]


def test_a_history_may_begin_with_a_greeting_of_the_assistant(owner: User, assistant: Assistant) -> None:
    history = [Said("assistant", "How can I help?"), Said("user", "One")]
    answer = start_from_history(owner=owner, assistant=assistant, history=history, client_token=token())
    plan = claim_answer(message_id=answer.pk)
    assert plan is not None
    assert [turn.text for turn in plan.request.turns] == ["How can I help?", "One"]
    assert Generation.objects.get().omitted_messages == 0
    greeting = answer.conversation.path()[0]
    with pytest.raises(Refused) as refused:
        retry_answer(message=greeting)
    assert refused.value.code == Refusal.NOT_RETRYABLE


def test_a_history_that_extends_the_path_adds_only_what_is_new(owner: User, assistant: Assistant) -> None:
    answer = start(owner, assistant, "One")
    end(answer, text="First")
    following = go_on(answer, "One", " First\n", "Two")
    assert following.conversation_id == answer.conversation_id
    assert texts(answer.conversation)[2:] == [("user", "Two", False), ("assistant", "", False)]
    end(following, text="Second")
    go_on(following, "One", "First", "Two", "Second", "Three", "From elsewhere", "Four")
    assert texts(answer.conversation)[4:] == [
        ("user", "Three", True),
        ("assistant", "From elsewhere", True),
        ("user", "Four", False),
        ("assistant", "", False),
    ]


@pytest.mark.parametrize(
    ("history", "where"),
    [
        (("One", "Another", "Two"), "history[1]"),
        (("Other", "First", "Two"), "history[0]"),
        (("One",), "the history ends before it does"),
        (("Two",), "history[0]"),
    ],
    ids=["another answer", "another prompt", "too short", "only what is new"],
)
def test_another_history_is_refused_and_told_where_it_differs(
    owner: User, assistant: Assistant, history: tuple[str, ...], where: str
) -> None:
    answer = start(owner, assistant, "One")
    end(answer, text="First")
    before = Message.objects.count()
    with pytest.raises(Refused) as refused:
        go_on(answer, *history)
    assert (refused.value.code, refused.value.status) == (Refusal.HISTORY, 409)
    assert where in refused.value.message
    assert Message.objects.count() == before


def test_a_prompt_whose_answer_failed_may_be_said_again_or_followed(owner: User, assistant: Assistant) -> None:
    answer = start(owner, assistant, "One")
    end(answer, status="failed", text="")
    again = go_on(answer, "One")
    assert again.parent is not None
    assert answer.parent is not None
    assert (again.parent.text, again.parent.parent_id) == ("One", None)
    assert again.parent_id != answer.parent_id
    end(again, status="interrupted", text="Half an ans")
    once_more = go_on(again, "One")
    end(once_more, status="interrupted", text="Half an ans")
    followed = go_on(once_more, "One", "Half an ans", "Two")
    assert texts(followed.conversation)[1:] == [
        ("assistant", "Half an ans", False),
        ("user", "Two", False),
        ("assistant", "", False),
    ]


def test_a_history_without_an_answer_that_broke_off_goes_on_behind_it(owner: User, assistant: Assistant) -> None:
    answer = start(owner, assistant, "One")
    end(answer, status="failed", text="Half")
    go_on_with(answer, [Said("user", "One"), Said("user", "Two")])
    assert [text for _, text, _ in texts(answer.conversation)] == ["One", "Half", "Two", ""]


@pytest.mark.parametrize(
    ("history", "code"),
    [
        ([], Refusal.HISTORY),
        ([Said("user", "One"), Said("assistant", "First")], Refusal.HISTORY),
        ([Said("user", "x")] * (MAX_TURNS + 1), Refusal.HISTORY),
        ([Said("user", " \u200b"), Said("user", "Two")], Refusal.EMPTY),
        ([Said("user", "One"), Said("assistant", ""), Said("user", "Two")], Refusal.EMPTY),
        ([Said("user", "x" * 100_001)], Refusal.TOO_LONG),
    ],
    ids=["none", "ends with an answer", "too many", "F1 blank prompt", "blank answer", "F2 too long"],
)
def test_bad_histories_are_refused_and_leave_nothing(
    owner: User, assistant: Assistant, history: list[Said], code: Refusal
) -> None:
    with pytest.raises(Refused) as refused:
        start_from_history(owner=owner, assistant=assistant, history=history, client_token=token())
    assert refused.value.code == code
    assert (Conversation.objects.count(), Message.objects.count()) == (0, 0)


def test_i4_the_same_token_again_is_the_same_answer(owner: User, assistant: Assistant) -> None:
    once = token()
    history = told("One", "First", "Two")
    answer = start_from_history(owner=owner, assistant=assistant, history=history, client_token=once)
    again = start_from_history(owner=owner, assistant=assistant, history=history, client_token=once)
    assert again == answer
    end(answer, text="Second")
    longer, twice = told("One", "First", "Two", "Second", "Three"), token()
    following, repeated = (
        send_history(owner=owner, conversation_id=answer.conversation_id, history=longer, client_token=twice)
        for _ in range(2)
    )
    assert following == repeated
    assert (Conversation.objects.count(), Message.objects.count()) == (1, 6)
    with pytest.raises(Refused) as refused:
        start_from_history(owner=owner, assistant=assistant, history=told("Other"), client_token=once)
    assert refused.value.code == Refusal.TOKEN_REUSED


def test_nothing_is_said_where_an_answer_runs_or_all_is_concluded(owner: User, assistant: Assistant) -> None:
    answer = start(owner, assistant, "One")
    with pytest.raises(Refused) as refused:
        go_on(answer, "One", "First", "Two")
    assert refused.value.code == Refusal.BUSY
    end(answer, text="First")
    conclude_conversation(conversation=answer.conversation)
    with pytest.raises(Refused) as refused:
        go_on(answer, "One", "First", "Two")
    assert refused.value.code == Refusal.CONCLUDED


def test_a1_nobody_goes_on_in_what_is_not_theirs_or_is_hidden(owner: User, assistant: Assistant) -> None:
    answer = start(owner, assistant, "One")
    end(answer, text="First")
    with pytest.raises(Conversation.DoesNotExist):
        send_history(
            owner=make_user(),
            conversation_id=answer.conversation_id,
            history=told("One", "First", "Two"),
            client_token=token(),
        )
    hide_conversation(conversation=answer.conversation)
    with pytest.raises(Conversation.DoesNotExist):
        go_on(answer, "One", "First", "Two")


def test_what_is_supplied_costs_nothing_and_is_not_rated(owner: User, assistant: Assistant) -> None:
    answer = start(owner, assistant, "One", "First", "Two")
    supplied = answer.conversation.path()[1]
    assert not Generation.objects.filter(message=supplied).exists()
    with pytest.raises(Refused) as refused:
        rate_answer(message=supplied, user=owner, rating="up")
    assert refused.value.code == Refusal.NOT_RATEABLE


def test_a_supplied_answer_can_be_asked_for_anew(owner: User, assistant: Assistant) -> None:
    answer = start(owner, assistant, "One", "First", "Two")
    end(answer, text="Second")
    ours = retry_answer(message=answer.conversation.path()[1])
    assert not ours.is_supplied
    assert ours.generations.get().model.name == "gpt-4o"


def test_what_goes_on_from_a_concluded_conversation_stays_marked(owner: User, assistant: Assistant) -> None:
    answer = start_from_history(
        owner=owner,
        assistant=assistant,
        history=told("One", "First", "Two"),
        client_token=token(),
        options=OPTIONS.stored(),
    )
    end(answer, text="Second")
    concluded = conclude_conversation(conversation=answer.conversation)
    copies = continue_conversation(conversation=concluded).path()
    assert [message.is_supplied for message in copies] == [True, True, False, False]
    assert [message.options for message in copies] == [None, None, OPTIONS.stored(), None]


def test_the_database_takes_no_supplied_message_that_has_not_ended(owner: User, assistant: Assistant) -> None:
    answer = start(owner, assistant, "One", "First", "Two")
    with pytest.raises(IntegrityError, match="supplied_messages_are_completed"), transaction.atomic():
        Message.objects.filter(pk=answer.pk).update(is_supplied=True)
    end(answer, text="Second")
    with pytest.raises(IntegrityError, match="answers_have_a_parent"), transaction.atomic():
        Message.objects.filter(pk=answer.pk).update(parent=None)
