"""Versions of prompts and answers as people make them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from conversations.models import Attachment, Conversation, Generation, Message
from conversations.services import (
    Refused,
    claim_answer,
    edit_prompt,
    send_message,
)
from tests.factories import token
from tests.pages.record import end


def say(conversation: Conversation, prompt: str, text: str, **more: object) -> Message:
    answer = send_message(
        owner=conversation.owner,
        conversation_id=conversation.pk,
        prompt=prompt,
        client_token=token(),
        **more,  # type: ignore[arg-type]
    )
    end(answer, text=text)
    return answer


def edited(message: Message, prompt: str, text: str = "", **more: object) -> Message:
    """Edit the prompt of an answer; with a text, the new answer has ended."""
    assert message.parent is not None
    answer = edit_prompt(message=message.parent, prompt=prompt, client_token=token(), **more)  # type: ignore[arg-type]
    if text:
        end(answer, text=text)
    return answer


def path(message: Message) -> list[str]:
    conversation = Conversation.objects.get(pk=message.conversation_id)
    return [one.text for one in conversation.path()]


def sent(answer: Message) -> list[str]:
    """What the model is shown."""
    plan = claim_answer(message_id=answer.pk)
    assert plan is not None
    return [turn.text for turn in plan.request.turns]


def refusal(act: Callable[[], object]) -> str:
    before = rows()
    with pytest.raises(Refused) as refused:
        act()
    assert rows() == before
    return refused.value.code.value


def rows() -> list[object]:
    return [sorted(model.objects.values_list(), key=str) for model in (Message, Generation, Conversation, Attachment)]
