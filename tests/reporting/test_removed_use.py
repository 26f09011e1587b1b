"""What was used stays in the sums when conversations are removed, whatever is reckoned anew before or after."""

import random

import pytest
from django.db import connection

from conversations.models import Conversation, Feedback, Message, UsageDay
from records.models import UsageFact
from records.services.usage_facts import keep_removed, keep_usage, mark_all_days
from tests.factories import make_assistant, make_model, make_user
from tests.reporting.used import (
    Sums,
    assert_adds_up,
    counted,
    delete_rows,
    kept,
    make_conversation_at,
    make_turn,
    moment,
    rate,
    rebuild,
    remove,
    total,
    used_at,
)
from tests.services.concluded import make_answered

pytestmark = pytest.mark.django_db
ENDINGS = ["completed", "completed", "completed", "failed", "interrupted", "refused", "stopped", "incomplete"]
WAITS = [None, 100, 600, 3_000, 40_000]


def test_the_sums_are_the_same_before_and_after_a_removal_and_when_all_is_reckoned_anew() -> None:
    gone, there = used_at("2026-03-05"), used_at("2026-03-05")
    rate(gone.messages.get(role="assistant"), "down")
    keep_usage()
    before = kept()
    assert before == counted()

    remove(gone)
    assert_adds_up(before)
    keep_usage()
    assert_adds_up(before)
    rebuild()
    assert_adds_up(before)
    assert counted() == counted(there) != before
    assert UsageFact.objects.filter(is_removed=True, owner_id=gone.owner_id).count() == 1


def test_two_conversations_of_one_row_are_told_apart() -> None:
    owner, assistant = make_user(), make_assistant()
    first, second = (used_at("2026-03-05", owner=owner, assistant=assistant) for _ in range(2))
    keep_usage()
    before = kept()
    remove(first)
    assert_adds_up(before)
    remove(second)
    assert_adds_up(before)
    keep_usage()
    assert_adds_up(before)
    assert list(UsageFact.objects.values_list("is_removed", "conversations")) == [(True, 2)]


def test_what_the_job_had_not_taken_in_before_the_removal_is_not_lost() -> None:
    conversation = used_at("2026-03-05")
    keep_usage()
    make_turn(conversation, moment("2026-03-05", "18:00"), waited_ms=5_000)
    rate(Message.objects.filter(role="assistant").earliest("id"), "up")
    late = used_at("2026-03-06")
    expected = counted()

    remove(conversation, late)
    keep_usage()
    assert_adds_up(expected)


def test_what_the_job_had_taken_in_and_changed_before_the_removal_is_put_right() -> None:
    conversation, there = used_at("2026-03-05"), used_at("2026-03-05")
    rate(conversation.messages.get(role="assistant"), "down")
    keep_usage()
    Feedback.objects.all().delete()
    expected = counted()

    remove(conversation)
    keep_usage()
    assert_adds_up(expected)
    assert "thumbs_down" not in total(kept())
    assert counted() == counted(there)


def test_between_the_tombstone_and_the_last_row_nothing_counts_twice() -> None:
    conversation = used_at("2026-03-05")
    keep_usage()
    before = kept()
    remove(conversation, until="tombstone")
    mark_all_days()
    keep_usage()
    assert_adds_up(before)
    delete_rows([conversation.pk])
    mark_all_days()
    keep_usage()
    assert_adds_up(before)


def test_a_conversation_that_is_removed_before_any_run_is_in_the_sums() -> None:
    conversation = used_at("2026-03-05")
    expected = counted()
    remove(conversation)
    assert_adds_up(expected)
    keep_usage()
    assert_adds_up(expected)


def test_what_has_no_tombstone_is_not_taken_for_removed() -> None:
    conversation = used_at("2026-03-05")
    with pytest.raises(ValueError, match="tombstone"):
        keep_removed(conversation_ids=[conversation.pk])
    assert not UsageFact.objects.exists()


def test_the_sums_are_still_those_of_the_ledger_after_a_removal() -> None:
    gone, _ = make_answered(turns=2), make_answered()
    keep_usage()
    remove(gone)
    keep_usage()
    names = ("calls", "input_tokens", "output_tokens", "cost")
    facts = [
        (day, owner, model, *[values[name] for name in names]) for (day, owner, _, model), values in kept().items()
    ]
    assert sorted(facts) == sorted(UsageDay.objects.values_list("day", "owner_id", "model_id", *names))


@pytest.mark.parametrize("seed", range(4))
def test_whatever_happens_in_whatever_order_the_sums_are_those_of_all_that_ever_was(seed: int) -> None:
    chance = random.Random(seed)
    people, assistants = [make_user() for _ in range(2)], [make_assistant() for _ in range(2)]
    models = [make_model(), make_model("gpt-next")]
    removed: Sums = {}

    def any_day() -> str:
        return chance.choice(["2025-12-31", "2026-01-01", "2026-01-31", "2026-02-01"])

    def begin() -> None:
        conversation = make_conversation_at(
            moment(any_day()), owner=chance.choice(people), assistant=chance.choice(assistants)
        )
        talk(conversation)

    def talk(conversation: Conversation | None = None) -> None:
        conversation = conversation or Conversation.objects.order_by("?").first()
        if conversation is not None:
            cost = chance.choice([None, "0.25"])
            make_turn(
                conversation, moment(any_day()), status=chance.choice(ENDINGS), waited_ms=chance.choice(WAITS),
                model=chance.choice(models), call={"cost": cost},
            )  # fmt: skip

    def judge() -> None:
        answer = Message.objects.filter(role="assistant").order_by("?").first()
        if answer is not None and not Feedback.objects.filter(message=answer).delete()[0]:
            rate(answer, chance.choice(["up", "down"]))

    def purge() -> None:
        nonlocal removed
        conversations = list(Conversation.objects.order_by("?")[: chance.randint(1, 2)])
        if conversations:
            removed = _both(removed, counted(*conversations))
            remove(*conversations)

    def hand_over() -> None:
        Conversation.objects.update(assistant=chance.choice(assistants))

    for _ in range(40):
        chance.choice([begin, begin, talk, talk, judge, purge, hand_over, mark_all_days, keep_usage])()
    connection.check_constraints()
    mark_all_days()  # what tests write lies in the past, where no job would look for news
    keep_usage()
    assert_adds_up(_both(removed, counted()))


def _both(one: Sums, other: Sums) -> Sums:
    names = {key: {*one.get(key, {}), *other.get(key, {})} for key in one.keys() | other.keys()}
    return {
        key: {name: one.get(key, {}).get(name, 0) + other.get(key, {}).get(name, 0) for name in sorted(found)}  # type: ignore[misc]
        for key, found in names.items()
    }
