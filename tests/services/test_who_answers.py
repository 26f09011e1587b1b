"""Who answers an edit or a retry: another assistant or model, here and from then on, of those one may choose."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group

from conversations.models import Conversation, LanguageModel, Message
from conversations.services import (
    claim_answer,
    retry_answer,
)
from tests.factories import make_assistant, make_model
from tests.pages.record import end
from tests.services.versions import edited, refusal, say

pytestmark = pytest.mark.django_db


def test_another_assistant_answers_here_and_from_then_on(second: Message) -> None:
    other = make_assistant(name="Jurist", instructions="Cite the law.", tools=["create_file"])
    LanguageModel.objects.update(tools=["create_file"])
    again = retry_answer(message=second, assistant=other)

    plan = claim_answer(message_id=again.pk)
    assert plan is not None
    assert (plan.request.instructions, plan.request.tools) == ("Cite the law.", ("create_file",))
    end(again, text="By law")
    following = say(again.conversation, "And?", "So.")
    assert [one.assistant for one in (second, again, following)] == [second.assistant, other, other]
    assert second.assistant != other
    assert Conversation.objects.get().assistant == other


def test_an_answer_keeps_its_assistant_when_it_is_claimed_late(second: Message) -> None:
    """Instructions are those of whoever was asked, not of whoever answers next by then."""
    again = retry_answer(message=second)
    Conversation.objects.update(assistant=make_assistant(instructions="Sing."))
    plan = claim_answer(message_id=again.pk)
    assert plan is not None
    assert plan.request.instructions == "Answer briefly."


def test_answers_of_before_it_was_noted_keep_who_gave_them(second: Message) -> None:
    Message.objects.update(assistant=None)
    before = second.conversation.assistant
    retry_answer(message=second, assistant=make_assistant())
    second.refresh_from_db()
    assert second.assistant == before


def test_another_model_answers_here_and_from_then_on(second: Message) -> None:
    mini = make_model("gpt-4o-mini")
    again = retry_answer(message=second, model=mini)
    assert again.generations.get().model == mini
    end(again, text="In short")
    assert say(again.conversation, "And?", "So.").generations.get().model_asked == "gpt-4o-mini"


def test_an_assistant_without_a_model_answers_with_its_own(second: Message) -> None:
    mini, own = make_model("gpt-4o-mini"), make_model("gpt-5")
    end(retry_answer(message=second, model=mini), text="In short")
    again = retry_answer(message=second, assistant=make_assistant(model=own))
    assert again.generations.get().model == own
    assert Conversation.objects.get().model is None


def test_an_edit_chooses_who_answers_as_well(second: Message) -> None:
    mini, other = make_model("gpt-4o-mini"), make_assistant()
    answer = edited(second, "Two, but otherwise", assistant=other, model=mini)
    assert (answer.assistant, answer.generations.get().model) == (other, mini)


def test_a_model_that_was_chosen_and_is_switched_off_gives_way_to_the_assistants_own(second: Message) -> None:
    mini = make_model("gpt-4o-mini")
    end(retry_answer(message=second, model=mini), text="In short")
    LanguageModel.objects.filter(pk=mini.pk).update(is_enabled=False)
    assert say(second.conversation, "And?", "So.").generations.get().model_asked == "gpt-4o"


@pytest.mark.parametrize("flaw", [{"is_enabled": False}, {"is_offered": False}, {"is_local": True}], ids=str)
def test_a_model_that_may_not_be_chosen_is_refused(second: Message, flaw: dict[str, bool]) -> None:
    wrong = make_model("gpt-0", **flaw)
    assert refusal(lambda: retry_answer(message=second, model=wrong)) == "no_model"
    assert refusal(lambda: edited(second, "Otherwise", model=wrong)) == "no_model"


def test_an_assistant_for_others_is_refused(second: Message) -> None:
    other = make_assistant()
    other.groups.add(Group.objects.create(name="Others"))
    assert refusal(lambda: retry_answer(message=second, assistant=other)) == "assistant_unavailable"
    assert refusal(lambda: edited(second, "Otherwise", assistant=other)) == "assistant_unavailable"
