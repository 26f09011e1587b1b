"""What a prompt needs to know is read in one statement, which keeps to the rules that hold everywhere else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from accounts.models import User
from conversations.models import Assistant, Conversation, Generation, LanguageModel, Message
from conversations.services import Refused, conclude_conversation, edit_prompt, retry_answer, send_message
from conversations.services.turns import find_open
from tests.factories import make_assistant, make_model, make_user, token
from tests.services.other import Other

pytestmark = pytest.mark.django_db
type Change = Callable[[Conversation], object]


def found(conversation: Conversation) -> Conversation | None:
    with transaction.atomic():
        return find_open(owner=conversation.owner, conversation_id=conversation.pk)


def test_what_is_found_is_what_the_record_says(first: Message) -> None:
    Assistant.objects.update(parameters={"temperature": 0.5}, suggested_prompts=["Hello"], tools=["create_file"])
    LanguageModel.objects.update(tools=["create_file"], shutdown_date="2099-01-01")
    conversation = Conversation.objects.get()

    one = found(conversation)

    assert one is not None
    for read, row in ((one, conversation), (one.assistant, conversation.assistant)):
        assert {field.attname: getattr(read, field.attname) for field in row._meta.concrete_fields} == {
            field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields
        }
    model = one.language_model()
    assert model is not None
    assert (model, model.tools, model.shutdown_date) == (
        LanguageModel.objects.get(),
        ["create_file"],
        LanguageModel.objects.get().shutdown_date,
    )


@pytest.mark.parametrize(
    "change",
    [
        lambda conversation: Conversation.objects.update(hidden_at=timezone.now()),
        lambda conversation: Conversation.objects.update(removal_begun_at=timezone.now()),
        lambda conversation: Conversation.objects.update(owner=make_user()),
        lambda conversation: Assistant.objects.update(is_enabled=False),
        lambda conversation: conversation.assistant.groups.add(Group.objects.create(name="Some")),
    ],
    ids=["hidden", "being removed", "somebody else's", "disabled assistant", "assistant of others"],
)
def test_what_may_not_be_seen_or_used_is_not_found(first: Message, change: Change) -> None:
    conversation = first.conversation
    assert found(conversation) is not None
    change(conversation)
    assert found(conversation) is None


def test_an_assistant_of_a_group_of_theirs_is_found(first: Message, owner: User) -> None:
    groups = [Group.objects.create(name=name) for name in ("Some", "Others")]
    first.conversation.assistant.groups.add(*groups)
    owner.groups.add(*groups)
    assert found(first.conversation) is not None


def of_the_conversation(conversation: Conversation, model: LanguageModel) -> None:
    Conversation.objects.update(model=model)
    Assistant.objects.update(model=make_model("gpt-4o-mini"))


def of_the_assistant(conversation: Conversation, model: LanguageModel) -> None:
    Assistant.objects.update(model=model)


def of_the_setting(conversation: Conversation, model: LanguageModel) -> None:
    make_model("gpt-4o-mini")


def replaced(conversation: Conversation, model: LanguageModel) -> None:
    old = make_model("gpt-3.5", shutdown_date="2024-01-01", replacement=model)
    Conversation.objects.update(model=old)


@pytest.mark.parametrize("choose", [of_the_conversation, of_the_assistant, of_the_setting, replaced])
def test_the_model_is_the_one_that_the_conversation_tells(
    first: Message, settings: Settings, choose: Callable[[Conversation, LanguageModel], None]
) -> None:
    settings.DEFAULT_MODEL = "gpt-5"
    model = make_model("gpt-5")
    choose(first.conversation, model)

    answer = send_message(owner=first.owner, conversation_id=first.conversation_id, prompt="Two", client_token=token())

    assert answer.generations.get().model == model == Conversation.objects.get().language_model()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda conversation: conclude_conversation(conversation=conversation), "concluded"),
        (lambda conversation: Assistant.objects.update(is_enabled=False), "assistant_unavailable"),
        (lambda conversation: LanguageModel.objects.update(is_enabled=False), "no_model"),
    ],
    ids=["concluded", "assistant", "model"],
)
def test_what_is_not_found_is_looked_at_to_say_why(first: Message, change: Change, code: str) -> None:
    change(first.conversation)
    with pytest.raises(Refused) as refused:
        send_message(owner=first.owner, conversation_id=first.conversation_id, prompt="Two", client_token=token())
    assert refused.value.code == code
    assert Message.objects.count() == 2


def test_what_is_written_is_whole_and_can_be_saved_again(first: Message) -> None:
    answer = send_message(owner=first.owner, conversation_id=first.conversation_id, prompt="Two", client_token=token())
    prompt = answer.parent
    assert prompt is not None
    for row in (prompt, answer):
        stored = Message.objects.get(pk=row.pk)
        assert {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields} == {
            field.attname: getattr(stored, field.attname) for field in row._meta.concrete_fields
        }
        row.save()
    assert Message.objects.count() == 4
    again = Conversation.objects.get()
    assert (again.current_leaf_id, again.last_activity_at) == (answer.pk, answer.conversation.last_activity_at)


def test_a_turn_takes_three_statements(first: Message, owner: User) -> None:
    with CaptureQueriesContext(connection) as asked:
        send_message(owner=owner, conversation_id=first.conversation_id, prompt="Two", client_token=token())
    begun, *statements, ended = [query["sql"] for query in asked]
    assert (begun.split()[0], ended.split()[0]) == ("SAVEPOINT", "RELEASE")
    assert len(statements) == 3, statements


@pytest.mark.parametrize("repeated", [False, True], ids=["running answer", "used token"])
def test_what_the_constraints_refuse_is_told_and_leaves_nothing(first: Message, *, repeated: bool) -> None:
    used = first.parent.client_token if first.parent and repeated else token()
    if not repeated:
        retry_answer(message=first)
    before = Message.objects.count()
    with pytest.raises(Refused) as refused:
        send_message(
            owner=first.owner, conversation_id=first.conversation_id, prompt="Two", client_token=used or token()
        )
    assert refused.value.code == ("token_reused" if repeated else "busy")
    assert Message.objects.count() == before


@pytest.mark.django_db(transaction=True)
def test_an_assistant_that_changes_while_the_turn_is_waited_for_is_the_new_one(first: Message) -> None:
    other, sent = make_assistant(), []

    def say() -> Any:
        return send_message(
            owner=first.owner, conversation_id=first.conversation_id, prompt="Two", client_token=token()
        )

    with transaction.atomic():
        Conversation.objects.filter(pk=first.conversation_id).update(assistant=other)
        somebody = Other(say)
        somebody.wait_until_it_waits()
    sent.append(somebody.end())
    assert [answer.assistant for answer in sent] == [other]
    assert Generation.objects.filter(message=sent[0]).count() == 1


def go_on(answer: Message) -> Message:
    return send_message(owner=answer.owner, conversation_id=answer.conversation_id, prompt="Two", client_token=token())


def say_otherwise(answer: Message) -> Message:
    assert answer.parent is not None
    return edit_prompt(message=answer.parent, prompt="Two", client_token=token())


def ask_again(answer: Message) -> Message:
    return retry_answer(message=answer)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("deed", [go_on, say_otherwise, ask_again])
@pytest.mark.parametrize("had_one", [False, True], ids=["the assistant's own", "another"])
def test_a_model_that_is_chosen_while_the_turn_is_waited_for_answers(
    first: Message, deed: Callable[[Message], Message], *, had_one: bool
) -> None:
    before, chosen = make_model("gpt-before"), make_model("gpt-chosen")
    conversation = Conversation.objects.filter(pk=first.conversation_id)
    conversation.update(model=before if had_one else None)
    first = Message.objects.get(pk=first.pk)

    with transaction.atomic():
        conversation.update(model=chosen)
        somebody = Other(lambda: deed(first))
        somebody.wait_until_it_waits()

    assert somebody.end().generations.get().model == chosen


def test_a_retry_is_written_in_the_same_way(first: Message) -> None:
    answer = retry_answer(message=first)
    stored = Message.objects.get(pk=answer.pk)
    assert (stored.status, stored.parent_id, stored.conversation.current_leaf_id) == (
        "queued",
        first.parent_id,
        answer.pk,
    )
    assert stored.generations.get().job_id
