"""An answer is rated by its owner, once, changeably; what was rated stays as it was said."""

from functools import partial

import pytest
from procrastinate.contrib.django.models import ProcrastinateJob

from accounts.models import User
from conversations.models import Feedback, Message
from conversations.services import Refused, rate_answer, start_conversation, stop_answer
from tests.factories import make_assistant, make_model, make_user, token
from tests.together import at_once


@pytest.fixture
def answer(db: None) -> Message:
    make_model()
    running = start_conversation(owner=make_user(), assistant=make_assistant(), prompt="Hello", client_token=token())
    return stop_answer(message=running)


@pytest.fixture
def owner(answer: Message) -> User:
    return answer.owner


@pytest.mark.parametrize("rating", ["up", "down"])
def test_an_answer_is_rated_with_a_reason(answer: Message, owner: User, rating: str) -> None:
    given = rate_answer(message=answer, user=owner, rating=rating, reason=" Short and\r\nright. ")
    assert given is not None
    assert (given.rating, given.reason) == (rating, "Short and\nright.")
    assert Feedback.objects.get() == given


def test_another_rating_takes_the_place_of_the_first_and_drops_its_reason(answer: Message, owner: User) -> None:
    first = rate_answer(message=answer, user=owner, rating="up", reason="Good.")
    second = rate_answer(message=answer, user=owner, rating="down")
    assert first is not None
    assert second is not None
    assert (second.pk, second.rating, second.reason) == (first.pk, "down", "")
    assert second.created_at == first.created_at
    assert second.updated_at > first.updated_at


def test_the_same_rating_again_keeps_the_reason_unless_it_is_changed(answer: Message, owner: User) -> None:
    rate_answer(message=answer, user=owner, rating="up", reason="Good.")
    rate_answer(message=answer, user=owner, rating="up")
    assert Feedback.objects.get().reason == "Good."
    rate_answer(message=answer, user=owner, rating="up", reason="")
    assert Feedback.objects.get().reason == ""


def test_a_rating_is_taken_back_as_often_as_one_likes(answer: Message, owner: User) -> None:
    rate_answer(message=answer, user=owner, rating="up", reason="Good.")
    for _ in range(2):
        assert rate_answer(message=answer, user=owner, rating="") is None
    assert not Feedback.objects.exists()


def test_an_answer_of_a_concluded_conversation_can_still_be_rated(answer: Message, owner: User) -> None:
    type(answer.conversation).objects.update(state="concluded", concluded_at=answer.created_at)
    assert rate_answer(message=Message.objects.get(pk=answer.pk), user=owner, rating="up") is not None


def test_rating_changes_nothing_of_the_message(answer: Message, owner: User) -> None:
    before = Message.objects.filter(pk=answer.pk).values().get()
    rate_answer(message=answer, user=owner, rating="down")
    assert Message.objects.filter(pk=answer.pk).values().get() == before


@pytest.mark.parametrize(
    ("rating", "reason", "code"),
    [("sideways", "", "unknown_rating"), ("UP", "", "unknown_rating"), ("up", "x" * 1001, "too_long")],
    ids=["unknown", "capitals", "too-long"],
)
def test_what_cannot_be_kept_is_refused_and_the_earlier_rating_stays(
    answer: Message, owner: User, rating: str, reason: str, code: str
) -> None:
    rate_answer(message=answer, user=owner, rating="down", reason="Wrong.")
    with pytest.raises(Refused) as refused:
        rate_answer(message=answer, user=owner, rating=rating, reason=reason)
    assert refused.value.code == code
    assert list(Feedback.objects.values_list("rating", "reason")) == [("down", "Wrong.")]


def test_i5_a_reason_that_postgresql_could_not_hold_is_cleaned(answer: Message, owner: User) -> None:
    given = rate_answer(message=answer, user=owner, rating="up", reason="a\x00b\ud800c" + "😀" * 995)
    assert given is not None
    assert given.reason == "a\ufffdb\ufffdc" + "😀" * 995


@pytest.mark.parametrize("whose", ["prompt", "running", "foreign"])
def test_only_an_ended_answer_of_ones_own_can_be_rated(answer: Message, owner: User, whose: str) -> None:
    user, message = owner, answer
    if whose == "prompt":
        assert answer.parent is not None
        message = answer.parent
    elif whose == "running":
        message = start_conversation(
            owner=owner, assistant=answer.conversation.assistant, prompt="And?", client_token=token()
        )
    else:
        user = make_user()
    with pytest.raises(Refused) as refused:
        rate_answer(message=message, user=user, rating="up")
    assert (refused.value.code, refused.value.is_conflict) == ("not_rateable", True)
    assert not Feedback.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_tabs_that_rate_at_once_leave_one_rating() -> None:
    make_model()
    running = start_conversation(owner=make_user(), assistant=make_assistant(), prompt="Hello", client_token=token())
    answer = stop_answer(message=running)

    def rate(number: int) -> None:
        rate_answer(message=answer, user=answer.owner, rating="up" if number % 2 else "down")

    at_once(*(partial(rate, number) for number in range(8)))
    assert Feedback.objects.count() == 1
    ProcrastinateJob.objects.all().delete()
