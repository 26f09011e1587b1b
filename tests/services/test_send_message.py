"""A prompt and the answer that is waited for are committed together, or not at all."""

from uuid import UUID

import pytest
from procrastinate.contrib.django.models import ProcrastinateJob
from pytest_django import Settings

from accounts.models import User
from conversations.models import Assistant, Conversation, Generation, Message
from conversations.services import Refused, send_message, start_conversation, stop_answer
from tests.factories import make_model, token
from tests.together import at_once

pytestmark = pytest.mark.django_db


def begin(owner: User, assistant: Assistant, prompt: str = "Hello") -> Conversation:
    """A conversation whose first answer has ended."""
    answer = start_conversation(owner=owner, assistant=assistant, prompt=prompt, client_token=token())
    stop_answer(message=answer)
    return answer.conversation


def test_a_first_prompt_makes_conversation_prompt_answer_call_and_job(owner: User, assistant: Assistant) -> None:
    answer = start_conversation(owner=owner, assistant=assistant, prompt="What is a record?", client_token=token())

    prompt = answer.parent
    assert prompt is not None
    assert (prompt.role, prompt.status, prompt.text) == ("user", "completed", "What is a record?")
    assert (answer.role, answer.status, answer.text) == ("assistant", "queued", "")
    assert answer.conversation.current_leaf_id == answer.pk
    assert answer.conversation.title == "What is a record?"
    call = answer.generations.get()
    assert (call.status, call.model_asked, call.started_at) == ("pending", "gpt-4o", None)
    job = ProcrastinateJob.objects.get(pk=call.job_id)
    assert (job.status, job.args) == ("todo", {"message_id": str(answer.pk)})


@pytest.mark.parametrize("prompt", ["", "   \n\t ", "\u200b", "\u200b \ufeff"])
def test_f1_an_empty_prompt_is_refused_and_nothing_is_written(owner: User, assistant: Assistant, prompt: str) -> None:
    with pytest.raises(Refused) as refused:
        start_conversation(owner=owner, assistant=assistant, prompt=prompt, client_token=token())

    assert refused.value.code == "empty"
    assert not Conversation.objects.exists()
    assert not ProcrastinateJob.objects.exists()


def test_f2_a_prompt_over_the_limit_is_refused_with_both_numbers(
    owner: User, assistant: Assistant, settings: Settings
) -> None:
    settings.MAX_PROMPT_CHARS = 1000
    with pytest.raises(Refused, match=r"1,001 characters.*1,000"):
        start_conversation(owner=owner, assistant=assistant, prompt="x" * 1001, client_token=token())
    start_conversation(owner=owner, assistant=assistant, prompt="x" * 1000, client_token=token())


def test_u21_nul_and_lone_surrogates_are_stored_as_replacement_characters(owner: User, assistant: Assistant) -> None:
    answer = start_conversation(owner=owner, assistant=assistant, prompt="a\x00b\ud800c😀", client_token=token())

    assert answer.parent is not None
    answer.parent.refresh_from_db()
    assert answer.parent.text == "a\ufffdb\ufffdc😀"


def test_c4_the_same_token_and_prompt_again_is_the_same_message(owner: User, assistant: Assistant) -> None:
    once = token()
    first = start_conversation(owner=owner, assistant=assistant, prompt="Hello", client_token=once)
    again = start_conversation(owner=owner, assistant=assistant, prompt="Hello", client_token=once)
    assert again.pk == first.pk
    assert Conversation.objects.count() == 1

    stop_answer(message=first)
    twice = token()
    second = send_message(
        owner=first.conversation.owner, conversation_id=first.conversation.pk, prompt="And?", client_token=twice
    )
    assert (
        send_message(
            owner=first.conversation.owner, conversation_id=first.conversation.pk, prompt="And?", client_token=twice
        ).pk
        == second.pk
    )
    assert Message.objects.count() == 4
    assert Generation.objects.count() == 2


def test_c4_a_token_with_another_prompt_is_refused_rather_than_swallowed(owner: User, assistant: Assistant) -> None:
    once = token()
    start_conversation(owner=owner, assistant=assistant, prompt="Hello", client_token=once)
    with pytest.raises(Refused) as refused:
        start_conversation(owner=owner, assistant=assistant, prompt="Something else", client_token=once)
    assert refused.value.code == "token_reused"


def test_c12_a_send_while_an_answer_runs_is_refused(owner: User, assistant: Assistant) -> None:
    answer = start_conversation(owner=owner, assistant=assistant, prompt="Hello", client_token=token())
    with pytest.raises(Refused) as refused:
        send_message(
            owner=answer.conversation.owner, conversation_id=answer.conversation.pk, prompt="And?", client_token=token()
        )
    assert refused.value.code == "busy"
    assert Message.objects.count() == 2


def test_a_concluded_conversation_takes_no_more_messages(owner: User, assistant: Assistant) -> None:
    conversation = begin(owner, assistant)
    Conversation.objects.update(state="concluded", concluded_at=conversation.created_at)
    with pytest.raises(Refused) as refused:
        send_message(owner=conversation.owner, conversation_id=conversation.pk, prompt="And?", client_token=token())
    assert refused.value.code == "concluded"


def test_a_disabled_assistant_or_one_for_others_is_refused(owner: User, assistant: Assistant) -> None:
    conversation = begin(owner, assistant)
    assistant.is_enabled = False
    assistant.save()
    with pytest.raises(Refused) as refused:
        send_message(owner=conversation.owner, conversation_id=conversation.pk, prompt="And?", client_token=token())
    assert refused.value.code == "assistant_unavailable"


def test_a_missing_or_disabled_model_is_refused(owner: User, assistant: Assistant) -> None:
    make_model().__class__.objects.update(is_enabled=False)
    with pytest.raises(Refused) as refused:
        start_conversation(owner=owner, assistant=assistant, prompt="Hello", client_token=token())
    assert refused.value.code == "no_model"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("into", ["new", "same"])
def test_c4_eight_parallel_double_clicks_make_one_message(owner: User, assistant: Assistant, into: str) -> None:
    once = token()
    conversation = begin(owner, assistant) if into == "same" else None

    def click() -> UUID:
        if conversation is None:
            return start_conversation(owner=owner, assistant=assistant, prompt="Hi", client_token=once).pk
        return send_message(owner=owner, conversation_id=conversation.pk, prompt="Hi", client_token=once).pk

    made = at_once(*[click] * 8)

    assert len(made) == 8
    assert len(set(made)) == 1
    assert Message.objects.filter(client_token=once).count() == 1
