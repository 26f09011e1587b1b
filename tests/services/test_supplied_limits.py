"""What clients supply beside the prompt, a history and instructions, counts for limits before the call is made."""

from __future__ import annotations

from decimal import Decimal

import pytest

from accounts.models import User
from conversations.models import Assistant, LanguageModel, Message
from conversations.services import (
    Said,
    continue_answer,
    retry_answer,
    send_history,
    start_from_history,
)
from conversations.services.client_options import ClientOptions
from tests.factories import token
from tests.pages.record import end
from tests.services.limited import limit

pytestmark = pytest.mark.django_db
OUTPUT = 16_384
LONG = "word " * 8_000  # 10,000 tokens
HISTORY = [Said("user", LONG), Said("assistant", LONG), Said("user", "Go on")]


def start(owner: User, assistant: Assistant, history: list[Said], instructions: str = "") -> Message:
    options = ClientOptions(instructions).stored()
    return start_from_history(owner=owner, assistant=assistant, history=history, client_token=token(), options=options)


def reserved(answer: Message) -> int:
    return answer.generations.get().reserved_tokens - OUTPUT


def test_q2_a_history_is_reserved_with_the_prompt(owner: User, assistant: Assistant) -> None:
    limit(1_000_000)
    limit(5, "money")
    call = start(owner, assistant, HISTORY).generations.get()
    assert 19_000 < call.reserved_tokens - OUTPUT < 21_000
    assert call.reserved_cost > Decimal("0.04")


def test_q2_instructions_of_a_client_are_reserved_with_the_prompt_and_again_with_what_follows(
    owner: User, assistant: Assistant
) -> None:
    limit(1_000_000)
    answer = start(owner, assistant, HISTORY[-1:], LONG)
    assert 9_500 < reserved(answer) < 10_500
    end(answer, status="stopped", text="Some")
    again = retry_answer(message=answer)
    assert 9_500 < reserved(again) < 10_500
    end(again, status="stopped", text="Some")
    assert 9_500 < reserved(continue_answer(message=again)) < 10_500


def test_q2_no_more_is_reserved_than_the_model_reads(owner: User, assistant: Assistant) -> None:
    limit(1_000_000)
    LanguageModel.objects.update(context_window=12_000)
    assert reserved(start(owner, assistant, HISTORY)) == 12_000


def test_q2_a_history_that_goes_on_is_reserved(owner: User, assistant: Assistant) -> None:
    limit(1_000_000)
    answer = start(owner, assistant, [Said("user", "Hello")])
    end(answer, text="First")
    history = [Said("user", "Hello"), Said("assistant", "First"), *HISTORY]
    following = send_history(owner=owner, conversation_id=answer.conversation_id, history=history, client_token=token())
    assert 19_000 < reserved(following) < 21_000
