"""What people are told of a model that its provider ends, and which one answers from then on."""

import datetime
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from conversations.models import Assistant, Conversation, Generation, LanguageModel, Message
from conversations.services import Refused, send_message, start_conversation
from tests.factories import make_assistant, make_model
from tests.pages.record import end, text_of


def in_days(days: int) -> datetime.date:
    return timezone.localdate() + datetime.timedelta(days=days)


def written(day: datetime.date) -> str:
    return f"{day:%-d %B %Y}"


def retire(days: int, replacement: LanguageModel | None = None, **fields: Any) -> LanguageModel:
    """Let the default model be switched off in so many days."""
    model = make_model()
    model.label, model.shutdown_date, model.replacement = "GPT-4o", in_days(days), replacement
    for name, value in fields.items():
        setattr(model, name, value)
    model.save()
    return model


@pytest.fixture
def heir(db: None) -> LanguageModel:
    return make_model("gpt-6-luna", label="GPT-6 Luna")


def shown(page: Client, conversation: Conversation) -> str:
    return text_of(page.get(f"/conversations/{conversation.pk}/"))


@pytest.mark.parametrize("days", [60, 1])
def test_an_end_within_60_days_is_told_with_what_follows(
    page: Client, conversation: Conversation, heir: LanguageModel, days: int
) -> None:
    retire(days, heir)
    words = f"GPT-4o is switched off by its provider on {written(in_days(days))}. GPT-6 Luna takes its place."
    assert words in shown(page, conversation)
    assert words in text_of(page.get("/conversations/"))


def test_an_end_further_away_is_not_told(page: Client, conversation: Conversation, heir: LanguageModel) -> None:
    retire(61, heir)
    assert "switched off" not in shown(page, conversation)
    assert "switched off" not in text_of(page.get("/conversations/"))


def test_a_model_without_an_end_has_no_banner(page: Client, conversation: Conversation) -> None:
    assert "switched off" not in shown(page, conversation)


@pytest.mark.parametrize("is_disabled", [False, True], ids=["unnamed", "disabled"])
def test_an_end_that_nothing_follows_says_what_to_do(
    page: Client, conversation: Conversation, heir: LanguageModel, is_disabled: bool
) -> None:
    LanguageModel.objects.filter(pk=heir.pk).update(is_enabled=not is_disabled)
    retire(10, LanguageModel.objects.get(pk=heir.pk) if is_disabled else None)
    assert "Nothing takes its place yet: ask an administrator" in shown(page, conversation)


@pytest.mark.parametrize("days", [0, -1, -400], ids=["that-day", "the-day-after", "a-year-later"])
def test_after_its_end_the_replacement_answers_and_the_page_says_so(
    page: Client, conversation: Conversation, heir: LanguageModel, days: int
) -> None:
    retire(days, heir)
    words = shown(page, conversation)
    assert (
        f"GPT-4o was switched off by its provider on {written(in_days(days))}. GPT-6 Luna has taken its place." in words
    )
    answer = send_message(
        owner=conversation.owner, conversation_id=conversation.pk, prompt="And now?", client_token=uuid4()
    )
    call = Generation.objects.get(message=answer)
    assert (call.model, call.model_asked) == (heir, "gpt-6-luna")


def test_after_an_end_that_nothing_follows_the_page_says_what_to_do(page: Client, conversation: Conversation) -> None:
    retire(-1)
    assert "Answers may fail. Choose another model, or ask an administrator for one." in shown(page, conversation)


def test_a_replacement_that_is_disabled_does_not_answer(conversation: Conversation, heir: LanguageModel) -> None:
    heir.is_enabled = False
    heir.save()
    retire(-1, heir)
    with pytest.raises(Refused) as refused:
        send_message(owner=conversation.owner, conversation_id=conversation.pk, prompt="And?", client_token=uuid4())
    assert refused.value.code == "no_model"


def test_an_administrator_who_disables_the_old_model_does_not_lose_the_new_one(
    owner: User, assistant: Assistant, heir: LanguageModel
) -> None:
    retire(-1, heir, is_enabled=False)
    answer = start_conversation(owner=owner, assistant=assistant, prompt="Hello", client_token=uuid4())
    assert answer.generations.get().model == heir


def test_a_replacement_that_has_ended_too_leads_to_its_own(
    owner: User, assistant: Assistant, heir: LanguageModel
) -> None:
    latest = make_model("gpt-7", label="GPT-7")
    heir.shutdown_date, heir.replacement = in_days(-1), latest
    heir.save()
    retire(-300, heir)
    answer = start_conversation(owner=owner, assistant=assistant, prompt="Hello", client_token=uuid4())
    assert answer.generations.get().model == latest


def test_models_that_replace_each_other_end_in_no_circle(
    owner: User, assistant: Assistant, heir: LanguageModel
) -> None:
    heir.shutdown_date, heir.replacement = in_days(-1), retire(-2, heir)
    heir.save()
    answer = start_conversation(owner=owner, assistant=assistant, prompt="Hello", client_token=uuid4())
    assert answer.generations.get().model == heir


def test_what_is_shut_down_is_not_offered_any_more(heir: LanguageModel) -> None:
    model = retire(1, heir)
    assert set(LanguageModel.objects.offered()) == {model, heir}
    retire(0, heir)
    assert set(LanguageModel.objects.offered()) == {heir}


def test_a_concluded_conversation_has_no_banner(page: Client, answer: Message) -> None:
    retire(10)
    Conversation.objects.update(state="concluded", concluded_at=answer.created_at)
    assert "switched off" not in shown(page, answer.conversation)


def test_the_model_that_was_chosen_for_the_conversation_counts(page: Client, conversation: Conversation) -> None:
    other = make_model("gpt-6-luna", label="GPT-6 Luna")
    retire(10, other)
    Conversation.objects.update(model=other)
    assert "switched off" not in shown(page, conversation)


def test_each_assistant_tells_of_its_own_model(page: Client, conversation: Conversation, heir: LanguageModel) -> None:
    make_assistant(name="Other", model=heir)
    retire(10, heir)
    body = page.get("/conversations/").content.decode()
    assert body.count("data-notice=") == 1
    assert "GPT-6 Luna takes its place." in text_of(page.get("/conversations/"))


def test_the_list_takes_as_many_queries_for_10_retiring_models_as_for_1(
    page: Client, owner: User, heir: LanguageModel
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert page.get("/conversations/").status_code == 200
        return len(captured)

    def add(name: str) -> None:
        make_assistant(model=make_model(name, shutdown_date=in_days(5), replacement=heir))

    add("first")
    before = queries()
    for number in range(9):
        add(f"model-{number}")
    assert queries() == before


def test_the_page_of_an_ended_answer_names_the_model_that_wrote_it(
    page: Client, running: Message, heir: LanguageModel
) -> None:
    end(running, text="Said.")
    retire(-1, heir)
    words = shown(page, running.conversation)
    assert f"Model asked {settings.DEFAULT_MODEL}" in words
