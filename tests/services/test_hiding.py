"""Deleting puts out of sight and loses nothing; restoring gives back what there was; pins have a limit."""

import contextlib
import datetime
from functools import partial

import pytest
from django.utils import timezone

from accounts.models import User
from conversations.models import Conversation, Message, MessageChunk
from conversations.models.conversation import MOST_PINNED
from conversations.services import (
    CallProgress,
    Refused,
    finish_answer,
    hide_conversation,
    pin_conversation,
    rename_conversation,
    restore_conversation,
    send_message,
    start_conversation,
    stop_answer,
)
from tests.factories import make_assistant, make_model, make_user, token
from tests.services.calls import FINISHED, claim, job_of, sql
from tests.together import at_once

pytestmark = pytest.mark.django_db

DAY = datetime.timedelta(days=1)


@pytest.fixture
def running(owner: User) -> Message:
    make_model()
    return start_conversation(owner=owner, assistant=make_assistant(), prompt="Hello", client_token=token())


@pytest.fixture
def conversation(running: Message) -> Conversation:
    return stop_answer(message=running).conversation


def test_a_deleted_conversation_is_out_of_sight_and_all_of_it_is_kept(owner: User, conversation: Conversation) -> None:
    before = list(Message.objects.order_by("id").values())
    hidden = hide_conversation(conversation=conversation)

    assert hidden.hidden_at is not None
    assert not Conversation.objects.visible_to(owner).exists()
    assert not Message.objects.visible_to(owner).exists()
    assert list(Message.objects.order_by("id").values()) == before


def test_d10_deleting_stops_the_answer_and_keeps_what_was_written(running: Message) -> None:
    plan = claim(running)
    MessageChunk.objects.create(message=running, start=0, text="So far")
    hide_conversation(conversation=running.conversation)

    answer = Message.objects.get(pk=running.pk)
    assert (answer.status, answer.text) == ("stopped", "So far")
    assert not MessageChunk.objects.exists()
    assert not finish_answer(plan=plan, finished=FINISHED, text="Too late", progress=CallProgress())
    assert Message.objects.get(pk=running.pk).text == "So far"
    assert sql("SELECT abort_requested FROM procrastinate_jobs WHERE id = %s", job_of(running)) == [(True,)]


def test_deleting_an_answer_that_waits_leaves_no_job_behind(running: Message) -> None:
    hide_conversation(conversation=running.conversation)
    assert Message.objects.get(pk=running.pk).status == "stopped"
    assert sql("SELECT status::text FROM procrastinate_jobs WHERE id = %s", job_of(running)) == [("cancelled",)]


def test_deleted_twice_the_days_count_from_the_first_time(conversation: Conversation) -> None:
    first = hide_conversation(conversation=conversation).hidden_at
    assert hide_conversation(conversation=conversation).hidden_at == first


def test_nothing_is_said_in_a_deleted_conversation(owner: User, conversation: Conversation) -> None:
    hide_conversation(conversation=conversation)
    with pytest.raises(Conversation.DoesNotExist):
        send_message(owner=owner, conversation_id=conversation.pk, prompt="Still there?", client_token=token())
    assert Message.objects.count() == 2


def test_a_restored_conversation_is_as_it_was(owner: User, conversation: Conversation) -> None:
    pin_conversation(conversation=conversation, pinned=True)
    before = Conversation.objects.values().get()
    hide_conversation(conversation=conversation)
    restore_conversation(conversation=conversation)

    assert Conversation.objects.values().get() == before
    assert Conversation.objects.visible_to(owner).get() == conversation
    restore_conversation(conversation=conversation)
    assert Conversation.objects.values().get() == before


@pytest.mark.parametrize(
    ("age", "can_be_had_back"),
    [(29 * DAY, True), (30 * DAY - datetime.timedelta(minutes=1), True), (30 * DAY, False), (400 * DAY, False)],
    ids=["29 days", "almost 30 days", "30 days", "a year"],
)
def test_restoring_ends_after_30_days_and_the_record_keeps_it(
    owner: User, conversation: Conversation, age: datetime.timedelta, can_be_had_back: bool
) -> None:
    Conversation.objects.update(hidden_at=timezone.now() - age)
    assert Conversation.objects.restorable_by(owner).exists() == can_be_had_back
    assert Conversation.objects.kept_by(owner).exists() == can_be_had_back
    if can_be_had_back:
        assert restore_conversation(conversation=conversation).hidden_at is None
        return
    with pytest.raises(Refused) as refused:
        restore_conversation(conversation=conversation)
    assert refused.value.code == "too_late"
    assert Conversation.objects.get().hidden_at is not None
    assert Message.objects.count() == 2


def test_what_others_deleted_is_nobody_elses(conversation: Conversation) -> None:
    hide_conversation(conversation=conversation)
    other = make_user()
    assert not Conversation.objects.restorable_by(other).exists()
    assert not Conversation.objects.kept_by(other).exists()


def test_a_pin_is_set_once_and_taken_off_once(conversation: Conversation) -> None:
    first = pin_conversation(conversation=conversation, pinned=True).pinned_at
    assert first is not None
    assert pin_conversation(conversation=conversation, pinned=True).pinned_at == first
    for _ in range(2):
        assert pin_conversation(conversation=conversation, pinned=False).pinned_at is None


def test_more_pins_than_the_list_has_room_for_are_refused(owner: User, conversation: Conversation) -> None:
    assistant = make_assistant()
    Conversation.objects.bulk_create(
        Conversation(owner=owner, assistant=assistant, title="Pinned", pinned_at=timezone.now())
        for _ in range(MOST_PINNED)
    )
    with pytest.raises(Refused) as refused:
        pin_conversation(conversation=conversation, pinned=True)
    assert refused.value.code == "too_many_pinned"
    hide_conversation(conversation=Conversation.objects.exclude(pk=conversation.pk)[0])
    assert pin_conversation(conversation=conversation, pinned=True).pinned_at


def test_a_title_given_in_another_tab_is_not_overwritten_unseen(conversation: Conversation) -> None:
    shown = conversation.title
    rename_conversation(conversation=conversation, title="Of the first tab", shown=shown)
    with pytest.raises(Refused) as refused:
        rename_conversation(conversation=conversation, title="Of the second tab", shown=shown)
    assert refused.value.code == "renamed"
    assert refused.value.is_conflict
    assert "Of the first tab" in refused.value.message
    assert Conversation.objects.get().title == "Of the first tab"

    rename_conversation(conversation=conversation, title="Of the second tab", shown="Of the first tab")
    assert Conversation.objects.get().title == "Of the second tab"


def test_the_same_title_from_two_tabs_is_no_conflict(conversation: Conversation) -> None:
    shown = conversation.title
    for _ in range(2):
        rename_conversation(conversation=conversation, title="The same", shown=shown)
    assert Conversation.objects.get().title == "The same"


@pytest.mark.django_db(transaction=True)
def test_of_two_tabs_that_rename_at_once_one_wins_and_the_other_is_told() -> None:
    make_model()
    answer = start_conversation(owner=make_user(), assistant=make_assistant(), prompt="Hello", client_token=token())
    told: list[str] = []

    def rename(title: str) -> None:
        conversation = Conversation.objects.get(pk=answer.conversation_id)
        try:
            rename_conversation(conversation=conversation, title=title, shown="Hello")
        except Refused as refused:
            told.append(refused.message)

    at_once(*(partial(rename, f"Title {number}") for number in range(4)))
    won = Conversation.objects.get().title
    assert won.startswith("Title ")
    assert len(told) == 3
    assert all(won in words for words in told)


@pytest.mark.django_db(transaction=True)
def test_a_send_and_a_deletion_at_once_leave_no_answer_running_out_of_sight() -> None:
    make_model()
    owner = make_user()
    answer = start_conversation(owner=owner, assistant=make_assistant(), prompt="Hello", client_token=token())
    stop_answer(message=answer)

    def send() -> None:
        with contextlib.suppress(Conversation.DoesNotExist):
            send_message(owner=owner, conversation_id=answer.conversation_id, prompt="More", client_token=token())

    def hide() -> None:
        hide_conversation(conversation=Conversation.objects.get())

    for _ in range(5):
        at_once(send, hide)
        assert Conversation.objects.get().hidden_at is not None
        assert not Message.objects.running().exists()
        restore_conversation(conversation=Conversation.objects.get())
