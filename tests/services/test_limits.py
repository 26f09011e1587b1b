"""Whoever has reached a limit is refused before any call, and told why and until when; whoever has not goes on."""

import datetime
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from conversations.llm import ModelError
from conversations.models import Assistant, Conversation, Generation, LanguageModel, Message, UsageDay
from conversations.services import (
    Refused,
    finish_answer,
    next_attempt,
    next_step,
    retry_answer,
    standings_of,
    start_conversation,
    stop_answer,
)
from conversations.services.calls import CallProgress
from tests.factories import make_user, token
from tests.services.calls import FINISHED, claim
from tests.services.limited import begin, limit, refusal, use

pytestmark = pytest.mark.django_db


# -- refused and let through -------------------------------------------------------------------------------------------


def test_q2_at_the_limit_the_next_answer_is_refused_before_any_call_with_the_moment_of_the_reset(
    owner: User, assistant: Assistant
) -> None:
    limit(50_000)
    use(owner, 50_123)
    refused = refusal(owner, assistant)
    assert refused.message == (
        "You have used your 50,000 tokens of today (50,123 used). It resets tomorrow at 00:00 UTC."
    )
    midnight = timezone.now().replace(hour=0, minute=0, second=0) + datetime.timedelta(days=1)
    assert refused.code == "limit"
    assert refused.retry_after is not None
    assert abs(refused.retry_after - (midnight - timezone.now()).total_seconds()) < 5
    assert not Generation.objects.exists()
    assert not Conversation.objects.exists()


def test_q2_with_one_token_left_an_answer_begins_and_what_it_takes_beyond_is_counted(
    owner: User, assistant: Assistant
) -> None:
    limit(100)
    use(owner, 99)
    answer = begin(owner, assistant)
    call = answer.generations.get()
    assert (call.reserved_tokens, call.reserved_cost) == (3 + 16_384, Decimal(0))
    finish_answer(plan=claim(answer), finished=FINISHED, text="", progress=CallProgress())
    assert refusal(owner, assistant).message.startswith("You have used your 100 tokens of today (112 used).")


def test_what_is_held_for_an_answer_is_free_again_when_it_has_ended(owner: User, assistant: Assistant) -> None:
    limit(10_000)
    answer = begin(owner, assistant)
    with pytest.raises(Refused) as refused:
        begin(owner, assistant)
    assert refused.value.message == (
        "What is left of your 10,000 tokens of today (0 used) is held for answers that are being written. "
        "Try again when they have ended."
    )
    assert refused.value.retry_after == 15
    stop_answer(message=answer)
    begin(owner, assistant)


def test_an_answer_that_runs_makes_its_steps_and_further_tries_beyond_the_limit(
    owner: User, assistant: Assistant
) -> None:
    limit(100)
    plan = claim(begin(owner, assistant))
    use(owner, 5000)
    again = next_attempt(plan=plan, error=ModelError("overloaded", "HTTP 503"))
    assert again is not None
    step = next_step(plan=again, finished=FINISHED, text="", progress=CallProgress(), items=())
    assert step is not None
    assert standings_of(owner.pk)[0].held == 3 + 16_384
    assert finish_answer(plan=step, finished=FINISHED, text="", progress=CallProgress())
    assert (standings_of(owner.pk)[0].used, standings_of(owner.pk)[0].held) == (Decimal(5026), Decimal(0))


def test_what_is_held_for_others_is_nothing_to_a_person(owner: User, assistant: Assistant) -> None:
    limit(10_000)
    begin(make_user(), assistant)
    begin(owner, assistant)


@pytest.mark.parametrize(
    ("measure", "words"), [("tokens", "a limit of 0 tokens per day"), ("money", "a limit of 0 US dollars per day")]
)
def test_a_limit_of_0_allows_nothing(owner: User, assistant: Assistant, measure: str, words: str) -> None:
    limit(0, measure)
    refused = refusal(owner, assistant)
    assert refused.message == f"Answers are switched off for you by {words}. Ask an administrator."
    assert (refused.status, refused.retry_after) == (429, None)


def test_money_counts_like_tokens(owner: User, assistant: Assistant) -> None:
    limit("20.00", "money", "month")
    use(owner, 10, cost="19.99")
    answer = begin(owner, assistant)
    assert answer.generations.get().reserved_cost == Decimal("0.1638475")
    stop_answer(message=answer)
    UsageDay.objects.update(cost="20.13")
    assert "You have used your $20.00 of this month ($20.13 used). It resets " in refusal(owner, assistant).message


def test_a_model_of_unknown_price_is_refused_where_money_is_limited(owner: User, assistant: Assistant) -> None:
    limit(5, "money", "month")
    LanguageModel.objects.get().prices.all().delete()
    refused = refusal(owner, assistant)
    assert refused.code == "no_model"
    assert "What gpt-4o costs is not known, so your limit in US dollars cannot be kept with it." in refused.message
    LanguageModel.objects.update(is_local=True)
    assert begin(owner, assistant).generations.get().reserved_cost == 0


def test_a_price_that_is_not_known_does_not_matter_where_tokens_are_limited(owner: User, assistant: Assistant) -> None:
    limit(5)
    LanguageModel.objects.get().prices.all().delete()
    assert begin(owner, assistant).generations.get().reserved_tokens == 3 + 16_384


def test_of_two_limits_reached_the_one_that_lasts_longer_is_told(owner: User, assistant: Assistant) -> None:
    limit(10)
    limit(10, period="month")
    use(owner, 10)
    assert "of this month" in refusal(owner, assistant).message


def test_a_hidden_conversation_counts_like_any_other(owner: User, assistant: Assistant) -> None:
    limit(10_000)
    answer = begin(owner, assistant)
    Conversation.objects.update(hidden_at=timezone.now())
    assert standings_of(owner.pk)[0].held == 3 + 16_384
    finish_answer(plan=claim(answer), finished=FINISHED, text="", progress=CallProgress())
    assert [(standing.used, standing.held) for standing in standings_of(owner.pk)] == [(Decimal(13), Decimal(0))]


def test_a_retry_counts_and_is_refused_at_the_limit(owner: User, assistant: Assistant) -> None:
    answer = stop_answer(message=begin(owner, assistant))
    limit(10)
    again = retry_answer(message=answer)
    assert again.generations.get().reserved_tokens == 3 + 16_384
    stop_answer(message=again)
    use(owner, 10)
    with pytest.raises(Refused, match="You have used your 10 tokens"):
        retry_answer(message=again)
    assert Message.objects.count() == 3


def test_a_double_submit_at_the_limit_is_the_message_that_was_sent(owner: User, assistant: Assistant) -> None:
    once = token()
    first = start_conversation(owner=owner, assistant=assistant, prompt="Hello", client_token=once)
    limit(0)
    again = start_conversation(owner=owner, assistant=assistant, prompt="Hello", client_token=once)
    assert first == again


def test_reservations_fit_their_columns_whatever_the_model_costs(owner: User, assistant: Assistant) -> None:
    limit(5, "money")
    model = LanguageModel.objects.get()
    model.prices.update(output_price="999999")
    LanguageModel.objects.update(max_output_tokens=2_147_483_647)
    call = begin(owner, assistant).generations.get()
    assert (call.reserved_tokens, call.reserved_cost) == (2_147_483_647, Decimal(999_999))


# -- how many at once --------------------------------------------------------------------------------------------------


def test_a_send_takes_one_query_more_where_nothing_is_limited(owner: User, assistant: Assistant) -> None:
    with CaptureQueriesContext(connection) as captured:
        begin(owner, assistant)
    about = [query["sql"] for query in captured if "usagelimit" in query["sql"]]
    assert len(about) == 1
