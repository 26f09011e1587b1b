"""Nobody gets past their limits, however many ask at once; and whoever is refused is told why and until when."""

import datetime
import threading
from decimal import Decimal

import pytest
from django.contrib.auth.models import Group
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from accounts.models import User
from conversations import periods
from conversations.llm import ModelError
from conversations.models import Assistant, Conversation, Generation, LanguageModel, Message, UsageDay, UsageLimit
from conversations.services import (
    Refused,
    finish_answer,
    next_attempt,
    next_step,
    retry_answer,
    send_message,
    standings_of,
    start_conversation,
    stop_answer,
)
from conversations.services.calls import CallProgress
from tests.factories import make_assistant, make_model, make_user, token
from tests.services.calls import FINISHED, claim, sql

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner() -> User:
    return make_user()


@pytest.fixture
def assistant() -> Assistant:
    make_model()
    return make_assistant()


def limit(amount: str | int, measure: str = "tokens", period: str = "day", **whom: User | Group) -> UsageLimit:
    return UsageLimit.objects.create(measure=measure, period=period, amount=amount, **whom)


def use(owner: User, tokens: int, *, cost: str = "0", days_ago: int = 0) -> None:
    UsageDay.objects.create(
        owner=owner,
        day=timezone.localdate() - datetime.timedelta(days=days_ago),
        model=make_model(),
        calls=1,
        input_tokens=tokens,
        cost=cost,
    )


def begin(owner: User, assistant: Assistant) -> Message:
    return start_conversation(owner=owner, assistant=assistant, prompt="Hello there", client_token=token())


def refusal(owner: User, assistant: Assistant) -> Refused:
    with pytest.raises(Refused) as refused:
        begin(owner, assistant)
    assert not Message.objects.running().exists()
    return refused.value


# -- which limits hold -------------------------------------------------------------------------------------------------


def amounts(user: User) -> dict[tuple[str, str], int]:
    return {(one.measure, one.period): int(one.limit) for one in standings_of(user.pk)}


def test_a_limit_for_everybody_holds_for_everybody(owner: User) -> None:
    limit(1000)
    assert amounts(owner) == {("tokens", "day"): 1000}


def test_of_several_groups_the_most_generous_counts_and_takes_the_place_of_the_one_for_everybody(owner: User) -> None:
    for name, amount in (("Sales", 5000), ("Legal", 9000), ("Support", 7000), ("Strangers", 99_000)):
        group = Group.objects.create(name=name)
        limit(amount, group=group)
        if name != "Strangers":
            owner.groups.add(group)
    limit(20_000)
    assert amounts(owner) == {("tokens", "day"): 9000}


def test_a_personal_limit_takes_the_place_of_all_others_whether_less_or_more(owner: User) -> None:
    owner.groups.add(group := Group.objects.create(name="Sales"))
    limit(5000, group=group)
    limit(7000)
    own = limit(300, user=owner)
    assert amounts(owner) == {("tokens", "day"): 300}
    UsageLimit.objects.filter(pk=own.pk).update(amount=80_000)
    assert amounts(owner) == {("tokens", "day"): 80_000}


def test_each_measure_and_period_is_decided_for_itself(owner: User) -> None:
    owner.groups.add(group := Group.objects.create(name="Sales"))
    limit(300, user=owner)
    limit(50, "money", "month", group=group)
    limit(9000, "tokens", "month")
    limit(1, "money", "month")
    assert amounts(owner) == {("tokens", "day"): 300, ("money", "month"): 50, ("tokens", "month"): 9000}


def test_the_limits_of_others_hold_for_nobody_else(owner: User, assistant: Assistant) -> None:
    limit(0, user=make_user())
    limit(0, group=Group.objects.create(name="Sales"))
    assert standings_of(owner.pk) == []
    begin(owner, assistant)


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


# -- days and months ---------------------------------------------------------------------------------------------------


def test_yesterday_counts_for_the_month_and_not_for_the_day(owner: User, assistant: Assistant) -> None:
    limit(100)
    use(owner, 500, days_ago=1)
    stop_answer(message=begin(owner, assistant))
    limit(100, period="month")
    used = {str(standing.period): standing.used for standing in standings_of(owner.pk)}
    assert used["day"] == 0
    assert used["month"] == (500 if timezone.localdate().day > 1 else 0)


def test_a_new_month_begins_with_nothing_used(owner: User, assistant: Assistant) -> None:
    limit(100, period="month")
    use(owner, 500, days_ago=timezone.localdate().day)  # the last day of the month before
    begin(owner, assistant)
    UsageDay.objects.update(day=timezone.localdate().replace(day=1))
    with pytest.raises(Refused, match="100 tokens of this month"):
        begin(owner, assistant)


@pytest.mark.parametrize(
    ("zone", "period", "today", "moment", "told"),
    [
        ("UTC", "day", "2026-11-22", "2026-11-23T00:00Z", "tomorrow at 00:00 UTC"),
        ("UTC", "month", "2026-11-22", "2026-12-01T00:00Z", "on 1 December at 00:00 UTC"),
        ("UTC", "month", "2026-11-30", "2026-12-01T00:00Z", "tomorrow at 00:00 UTC"),
        ("UTC", "month", "2026-12-31", "2027-01-01T00:00Z", "tomorrow at 00:00 UTC"),
        ("UTC", "month", "2028-01-31", "2028-02-01T00:00Z", "tomorrow at 00:00 UTC"),
        ("UTC", "day", "2028-02-28", "2028-02-29T00:00Z", "tomorrow at 00:00 UTC"),
        ("Europe/Berlin", "day", "2026-03-28", "2026-03-28T23:00Z", "tomorrow at 00:00 CET"),
        ("Europe/Berlin", "day", "2026-03-29", "2026-03-29T22:00Z", "tomorrow at 00:00 CEST"),
        ("Europe/Berlin", "month", "2026-10-02", "2026-10-31T23:00Z", "on 1 November at 00:00 CET"),
        ("Africa/Cairo", "day", "2026-04-23", "2026-04-23T22:00Z", "tomorrow at 01:00 EEST"),  # without a midnight
        ("America/Sao_Paulo", "day", "2026-06-01", "2026-06-02T03:00Z", "tomorrow at 00:00 UTC-03"),
    ],
)
def test_a_period_ends_at_midnight_of_the_server_whatever_its_clocks_do(
    settings: Settings, zone: str, period: str, today: str, moment: str, told: str
) -> None:
    settings.TIME_ZONE = zone
    day = datetime.date.fromisoformat(today)
    reset = periods.next_start(period, day)
    assert reset == datetime.datetime.fromisoformat(moment)
    assert periods.tell(reset, day) == told
    assert timezone.localdate(reset - datetime.timedelta(seconds=1)) >= day
    assert timezone.localdate(reset) > day


# -- how many at once --------------------------------------------------------------------------------------------------


def test_q1_more_answers_at_once_than_one_person_may_have_are_refused_and_others_are_not(
    owner: User, assistant: Assistant, settings: Settings
) -> None:
    settings.MAX_PARALLEL_ANSWERS = 2
    first = begin(owner, assistant)
    begin(owner, assistant)
    with pytest.raises(Refused) as refused:
        begin(owner, assistant)
    assert refused.value.message.startswith("2 of your answers are being written, and more cannot be at once.")
    assert (refused.value.status, refused.value.retry_after) == (429, 15)
    begin(make_user(), assistant)
    stop_answer(message=first)
    begin(owner, assistant)


def test_a_send_takes_one_query_more_where_nothing_is_limited(owner: User, assistant: Assistant) -> None:
    with CaptureQueriesContext(connection) as captured:
        begin(owner, assistant)
    about = [query["sql"] for query in captured if "usagelimit" in query["sql"]]
    assert len(about) == 1


def send_at_once(owner: User, conversations: list[Conversation]) -> list[str]:
    """Send to many conversations at the same moment, each from a thread of its own; return what came of each."""
    barrier, ends = threading.Barrier(len(conversations)), []

    def send(conversation: Conversation) -> None:
        try:
            barrier.wait(timeout=30)
            send_message(owner=owner, conversation_id=conversation.pk, prompt="Hello", client_token=token())
            ends.append("sent")
        except Refused as refused:
            ends.append(str(refused.code))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=send, args=[conversation]) for conversation in conversations]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(ends)


def make_conversations(owner: User, count: int) -> list[Conversation]:
    make_model()
    assistant = make_assistant()
    return Conversation.objects.bulk_create(
        Conversation(owner=owner, assistant=assistant, title=f"Number {number}") for number in range(count)
    )


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("measure", ["tokens", "money"])
def test_q3_of_50_sends_at_once_with_one_left_exactly_one_goes_through(settings: Settings, measure: str) -> None:
    settings.MAX_PARALLEL_ANSWERS = 100
    owner = make_user()
    conversations = make_conversations(owner, 50)
    limit(100, measure)
    use(owner, 99, cost="99.9999")

    assert send_at_once(owner, conversations) == ["limit"] * 49 + ["sent"]

    assert Message.objects.count() == 2
    assert Generation.objects.count() == 1
    assert sql("SELECT count(*) FROM procrastinate_jobs") == [(1,)]


@pytest.mark.django_db(transaction=True)
def test_q1_of_50_sends_at_once_as_many_go_through_as_one_person_may_have() -> None:
    owner = make_user()
    conversations = make_conversations(owner, 50)
    assert send_at_once(owner, conversations) == ["limit"] * 30 + ["sent"] * 20
    assert Message.objects.running().count() == 20


@pytest.mark.django_db(transaction=True)
def test_calls_of_one_person_that_end_at_once_are_all_added_and_never_lock_each_other_out() -> None:
    owner = make_user()
    conversations = make_conversations(owner, 16)
    answers = [
        send_message(owner=owner, conversation_id=conversation.pk, prompt="Hello", client_token=token())
        for conversation in conversations
    ]
    plans = [claim(answer) for answer in answers]
    barrier, ends = threading.Barrier(len(plans)), []

    def finish(index: int) -> None:
        try:
            barrier.wait(timeout=30)
            ends.append(finish_answer(plan=plans[index], finished=FINISHED, text="", progress=CallProgress()))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=finish, args=[index]) for index in range(len(plans))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert ends == [True] * 16
    day = UsageDay.objects.get()
    assert (day.calls, day.input_tokens, day.output_tokens) == (16, 160, 48)
