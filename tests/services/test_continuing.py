"""A concluded conversation goes on in a new one, which repeats what was said and names where it came from."""

from __future__ import annotations

import threading

import pytest
from django.db import connections

from conversations.files import storage
from conversations.models import Assistant, Attachment, Conversation, Generation, Message
from conversations.services import (
    Refusal,
    Refused,
    conclude_conversation,
    continue_conversation,
    hide_conversation,
    retry_answer,
    seal_conversation,
    send_message,
)
from conversations.services.continuing import continued_title
from tests.factories import make_file, token
from tests.services.calls import jobs
from tests.services.concluded import answer_it, make_answered, make_concluded, make_long, make_sealed, stored

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("folder")]


def said(messages: list[Message]) -> list[tuple[str, str, str, str, int | None]]:
    return [
        (message.role, message.status, message.text, message.error_code, message.assistant_id) for message in messages
    ]


def test_it_repeats_the_path_that_is_shown_and_calls_no_model() -> None:
    concluded = make_concluded(turns=3)
    calls, waiting = Generation.objects.count(), len(jobs("conversations.tasks.answer"))
    continued = continue_conversation(conversation=concluded)

    assert continued.is_open
    assert (continued.owner, continued.assistant, continued.continued_from) == (
        concluded.owner,
        concluded.assistant,
        concluded,
    )
    old, new = concluded.path(), Conversation.objects.get(pk=continued.pk).path()
    assert said(new) == said(old)
    assert len(new) == continued.messages.count() == 6
    assert [message.copy_of_id for message in new] == [message.pk for message in old]
    assert [message.parent_id for message in new] == [None, *(message.pk for message in new[:-1])]
    assert {message.client_token for message in new} == {None}
    assert (Generation.objects.count(), len(jobs("conversations.tasks.answer"))) == (calls, waiting)


def test_other_versions_stay_where_they_are() -> None:
    conversation = make_answered()
    first = conversation.current_leaf
    assert first is not None
    second = answer_it(retry_answer(message=first))
    concluded = conclude_conversation(conversation=conversation)
    continued = continue_conversation(conversation=concluded)
    copies = continued.messages.values_list("copy_of", flat=True)
    assert second.pk in copies
    assert first.pk not in copies


def test_files_are_carried_and_shared() -> None:
    concluded = make_answered()
    assert concluded.current_leaf is not None
    lost = make_file(concluded.owner, message=concluded.current_leaf, data=None, origin="model")
    conclude_conversation(conversation=concluded)
    objects = {found.key for found in storage.list_keys()}
    continued = continue_conversation(conversation=concluded)
    carried = Attachment.objects.filter(message__conversation=continued)
    sent = Attachment.objects.get(message__conversation=concluded, state="ready")
    assert [(file.key, file.sha256) for file in carried.filter(state="ready")] == [(sent.key, sent.sha256)]
    assert carried.get(state="failed").failure == lost.failure
    assert {found.key for found in storage.list_keys()} == objects


def test_one_can_go_on_in_it_and_conclude_and_continue_it_again() -> None:
    continued = continue_conversation(conversation=make_concluded())
    answer_it(
        send_message(owner=continued.owner, conversation_id=continued.pk, prompt="And then?", client_token=token())
    )
    again = conclude_conversation(conversation=continued)
    assert seal_conversation(conversation_id=again.pk)
    document = stored(Conversation.objects.get(pk=again.pk).sealed_document)
    assert document["conversation"]["continued_from"] == str(continued.continued_from_id)
    assert [message["copy_of"] is None for message in document["messages"]] == [False, False, True, True]
    assert continue_conversation(conversation=again).title == "Hello (continued 2)"


def test_what_is_sealed_is_not_changed_by_it() -> None:
    sealed = make_sealed()
    before = list(sealed.conversation.messages.values_list())
    continue_conversation(conversation=sealed.conversation)
    assert list(sealed.conversation.messages.values_list()) == before
    assert not seal_conversation(conversation_id=sealed.pk)


def test_c4_asked_twice_it_is_one_conversation_until_something_is_said_in_it() -> None:
    concluded = make_concluded()
    first = continue_conversation(conversation=concluded)
    assert continue_conversation(conversation=concluded) == first
    send_message(owner=first.owner, conversation_id=first.pk, prompt="And then?", client_token=token())
    second = continue_conversation(conversation=concluded)
    assert second != first
    hide_conversation(conversation=second)
    assert continue_conversation(conversation=concluded) not in (first, second)


@pytest.mark.django_db(transaction=True)
def test_c4_asked_twice_at_once_it_is_one_conversation() -> None:
    concluded = make_concluded()
    found: list[Conversation] = []

    def go_on() -> None:
        found.append(continue_conversation(conversation=concluded))
        connections.close_all()

    threads = [threading.Thread(target=go_on) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(found) == 4
    assert len({conversation.pk for conversation in found}) == 1
    assert Message.objects.filter(conversation=found[0]).count() == 2


@pytest.mark.parametrize(
    ("columns", "code"),
    [({"is_enabled": False}, Refusal.ASSISTANT_UNAVAILABLE), ({}, Refusal.NO_MODEL)],
    ids=["assistant", "model"],
)
def test_without_somebody_to_answer_it_is_refused(columns: dict[str, bool], code: Refusal) -> None:
    concluded = make_concluded()
    Assistant.objects.filter(pk=concluded.assistant_id).update(**columns)
    if code == Refusal.NO_MODEL:
        Generation.objects.get(purpose="answer").model.__class__.objects.update(is_enabled=False)
    with pytest.raises(Refused) as refused:
        continue_conversation(conversation=concluded)
    assert refused.value.code == code
    assert Conversation.objects.count() == 1


def test_an_open_one_is_gone_on_with_in_itself() -> None:
    with pytest.raises(Refused) as refused:
        continue_conversation(conversation=make_answered())
    assert refused.value.code == Refusal.NOT_CONCLUDED
    assert refused.value.is_conflict


def test_a_hidden_one_is_not_there_to_be_continued() -> None:
    concluded = make_concluded()
    hide_conversation(conversation=concluded)
    with pytest.raises(Conversation.DoesNotExist):
        continue_conversation(conversation=concluded)


@pytest.mark.parametrize(
    ("title", "continued"),
    [
        ("Lease", "Lease (continued)"),
        ("Lease (continued)", "Lease (continued 2)"),
        ("Lease (continued 2)", "Lease (continued 3)"),
        ("(continued)", "(continued) (continued)"),
        ("x" * 200, "x" * 187 + "… (continued)"),
        ("x" * 187 + "… (continued)", "x" * 185 + "… (continued 2)"),
    ],
    ids=["first", "second", "third", "odd", "long", "long again"],
)
def test_titles_are_counted_and_kept_within_their_column(title: str, continued: str) -> None:
    assert continued_title(title) == continued
    assert len(continued) <= 200


def test_a_long_one_is_copied_in_batches() -> None:
    continued = continue_conversation(conversation=make_long(1_201))
    assert continued.messages.count() == 1_201
    path = continued.path()
    assert len(path) == 1_201
    assert path[-1].text.startswith("1201 ")
