"""What cannot be edited, asked for again or gone on with, and what happens of it once however often it is sent."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from django.utils import timezone

from conversations.models import Conversation, Message
from conversations.services import (
    Refused,
    continue_answer,
    edit_prompt,
    retry_answer,
    start_conversation,
)
from tests.factories import make_assistant, token
from tests.pages.record import end
from tests.services.versions import edited, refusal, say
from tests.together import at_once

pytestmark = pytest.mark.django_db


def all_three(message: Message) -> list[Callable[[], object]]:
    return [
        lambda: edited(message, "Otherwise"),
        lambda: retry_answer(message=message),
        lambda: continue_answer(message=message),
    ]


def test_c12_nothing_begins_while_an_answer_runs(first: Message, second: Message) -> None:
    end(second, status="incomplete", text="Half a")
    running = retry_answer(message=first)
    for act in [*all_three(second), lambda: retry_answer(message=running), lambda: continue_answer(message=running)]:
        assert refusal(act) == "busy"


def test_a_concluded_conversation_has_its_versions_for_good(second: Message) -> None:
    end(second, status="incomplete", text="Half a")
    Conversation.objects.update(state="concluded", concluded_at=timezone.now())
    message = Message.objects.select_related("conversation").get(pk=second.pk)
    for act in all_three(message):
        assert refusal(act) == "concluded"


def test_an_answer_is_not_edited_and_a_prompt_neither_retried_nor_gone_on_with(second: Message) -> None:
    prompt = second.parent
    assert prompt is not None
    assert refusal(lambda: edit_prompt(message=second, prompt="Mine now", client_token=token())) == "not_editable"
    assert refusal(lambda: retry_answer(message=prompt)) == "not_retryable"
    assert refusal(lambda: continue_answer(message=prompt)) == "not_continuable"


def test_a_prompt_goes_on_from_answers_of_its_own_conversation_alone(second: Message) -> None:
    other = start_conversation(owner=second.owner, assistant=make_assistant(), prompt="Apart", client_token=token())
    end(other, text="Elsewhere")
    for parent in (other.pk, second.parent_id, token()):
        assert refusal(lambda parent=parent: say(second.conversation, "And?", "", parent_id=parent)) == "no_parent"  # type: ignore[misc]


@pytest.mark.parametrize("prompt", ["", " \u200b\n"])
def test_f1_an_edit_to_nothing_is_refused(second: Message, prompt: str) -> None:
    assert refusal(lambda: edited(second, prompt)) == "empty"


def test_c4_an_edit_sent_twice_is_one(second: Message) -> None:
    assert second.parent is not None
    once = token()
    answers = {edit_prompt(message=second.parent, prompt="Anew", client_token=once).pk for _ in range(3)}
    assert len(answers) == 1
    assert Message.objects.filter(text="Anew").count() == 1
    with pytest.raises(Refused, match="already sent with another text"):
        edit_prompt(message=second.parent, prompt="Otherwise", client_token=once)


@pytest.mark.django_db(transaction=True)
def test_of_many_who_retry_and_edit_at_once_one_goes_through(second: Message) -> None:
    def press(number: int) -> Message:
        return edited(second, "Anew") if number % 2 else retry_answer(message=second)

    came = at_once(*(partial(press, number) for number in range(8)), refusals=(Refused,))
    assert sum(isinstance(one, Message) for one in came) == 1
    assert {one.code for one in came if isinstance(one, Refused)} == {"busy"}
    assert Message.objects.running().count() == 1
