"""Histories that are supplied while somebody else says something."""

from __future__ import annotations

from typing import Any

import pytest

from conversations.models import LanguageModel, Message
from conversations.services import Refusal, Refused, Said, send_message, sending, start_from_history, supplying
from tests.factories import make_assistant, make_file, make_model, make_user, token
from tests.pages.record import end
from tests.services.other import Other
from tests.services.supplied import go_on, start, told
from tests.together import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def test_of_two_that_extend_the_same_path_at_once_one_is_refused() -> None:
    make_model()
    answer = start(make_user(), make_assistant(), "One")
    end(answer, text="First")
    outcomes = at_once(*[lambda: go_on(answer, "One", "First", "Two")] * 2, refusals=(Refused,))
    assert sorted(isinstance(outcome, Message) for outcome in outcomes) == [False, True]
    assert [one.code for one in outcomes if isinstance(one, Refused)] == [Refusal.BUSY]
    assert answer.conversation.messages.count() == 4


@pytest.mark.usefixtures("folder")
def test_two_who_send_the_same_file_do_not_wait_for_each_other_in_a_circle(
    first: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner, file = first.owner, make_file(first.owner)
    LanguageModel.objects.update(accepts_images=True)
    others: list[Other] = []

    def say_beside() -> Message:
        return send_message(
            owner=owner,
            conversation_id=first.conversation_id,
            prompt="Two",
            client_token=token(),
            attachment_ids=[file.pk],
        )

    def commit_turn(*what: Any, **more: Any) -> Message:
        others.append(Other(say_beside))
        others[0].wait_until_it_waits_or_is_done()
        return sending.commit_turn(*what, **more)

    monkeypatch.setattr(supplying, "commit_turn", commit_turn)
    history = [Said("user", "Early", (file.pk,)), *told("", "Yes", "One")[1:]]
    with pytest.raises(Refused) as refused:
        start_from_history(owner=owner, assistant=first.conversation.assistant, history=history, client_token=token())

    assert refused.value.code == Refusal.FILE
    assert isinstance(others[0].end(), Message)
