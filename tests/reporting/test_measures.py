"""What is summed up by day: each measure is that of the record, and those of calls are those of the ledger."""

import datetime
from decimal import Decimal

import pytest

from conversations.models import Message, UsageDay
from conversations.services import (
    CallProgress,
    fail_answer,
    stop_answer,
)
from records.models import UsageFact
from records.services.usage_facts import keep_usage
from tests.factories import make_model
from tests.reporting.used import (
    counted,
    kept,
    make_conversation_at,
    make_turn,
    moment,
    rate,
    total,
    used_at,
)
from tests.services.calls import begin, claim
from tests.services.concluded import make_answered
from tests.services.test_accounting import OVERLOADED

pytestmark = pytest.mark.django_db
DAY = datetime.date(2026, 3, 5)


def test_a_turn_is_one_row_with_all_its_measures() -> None:
    conversation = used_at("2026-03-05")
    rate(conversation.messages.get(role="assistant"), "up")
    keep_usage()
    row = UsageFact.objects.get()
    assert (row.day, row.owner_id, row.assistant_id) == (DAY, conversation.owner_id, conversation.assistant_id)
    assert row.model_id == make_model().pk
    assert total(kept()) == {
        "conversations": 1, "prompts": 1, "answers": 1, "calls": 1, "thumbs_up": 1,
        "input_tokens": 100, "cached_tokens": 10, "output_tokens": 20, "reasoning_tokens": 5,
        "cost": Decimal("0.00045"), "first_texts": 1, "first_text_ms": 700, "first_text_1s": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("status", "measures"),
    [
        ("completed", {}),
        ("failed", {"failed": 1}),
        ("interrupted", {"failed": 1}),
        ("refused", {"refused": 1}),
        ("stopped", {"stopped": 1}),
        ("incomplete", {"cut_off": 1}),
    ],
)
def test_every_ending_is_counted_as_what_it_was(status: str, measures: dict[str, int]) -> None:
    make_turn(make_conversation_at(moment("2026-03-05")), moment("2026-03-05"), status=status)
    keep_usage()
    sums = total(kept())
    assert {name: sums.get(name, 0) for name in ("failed", "refused", "stopped", "cut_off")} == {
        "failed": 0, "refused": 0, "stopped": 0, "cut_off": 0,
    } | measures  # fmt: skip
    assert kept() == counted()


@pytest.mark.parametrize(
    ("waited_ms", "column"),
    [
        (0, "250ms"), (250, "250ms"), (251, "500ms"), (1000, "1s"), (1001, "2s"), (4000, "4s"), (7999, "8s"),
        (16_000, "16s"), (32_000, "32s"), (32_001, "longer"), (600_000, "longer"),
    ],
)  # fmt: skip
def test_each_wait_for_a_first_text_has_its_place_in_the_histogram(waited_ms: int, column: str) -> None:
    make_turn(make_conversation_at(moment("2026-03-05")), moment("2026-03-05"), waited_ms=waited_ms)
    keep_usage()
    sums = total(kept())
    assert sums["first_texts"] == sums[f"first_text_{column}"] == 1
    assert sums.get("first_text_ms", 0) == waited_ms
    assert kept() == counted()


def test_an_answer_without_a_text_has_no_time_to_its_first_one() -> None:
    make_turn(make_conversation_at(moment("2026-03-05")), moment("2026-03-05"), status="failed", waited_ms=None)
    keep_usage()
    assert "first_texts" not in total(kept())


def test_a_cost_that_nobody_knows_is_counted_as_unknown_and_one_of_a_local_model_is_not() -> None:
    conversation = make_conversation_at(moment("2026-03-05"))
    make_turn(conversation, moment("2026-03-05"), call={"cost": None, "usage_source": "estimated"})
    local = make_model("small", is_local=True, priced=False)
    make_turn(conversation, moment("2026-03-05", "13:00"), model=local, call={"cost": None})
    keep_usage()
    sums = total(kept())
    assert [sums["calls"], sums["unpriced_calls"], sums["estimated_calls"]] == [2, 1, 1]
    assert "cost" not in sums
    assert kept() == counted()


def test_the_sums_of_calls_are_those_of_the_ledger_however_they_ended() -> None:
    make_answered(turns=2)
    stop_answer(message=_claimed(begin()))
    fail_answer(plan=claim(begin()), error=OVERLOADED, text="", progress=CallProgress())
    fail_answer(plan=claim(begin()), error=OVERLOADED, text="Hal", progress=CallProgress())
    begin()
    keep_usage()
    names = ("calls", "estimated_calls", "unpriced_calls", "input_tokens", "cached_tokens", "output_tokens", "cost")
    facts = [
        (day, owner, model, *[values.get(name, 0) for name in names])
        for (day, owner, _, model), values in kept().items()
        if values.get("calls")
    ]
    assert sorted(facts) == sorted(UsageDay.objects.values_list("day", "owner_id", "model_id", *names))
    assert kept() == counted()


def _claimed(answer: Message) -> Message:
    claim(answer)
    answer.refresh_from_db()
    return answer
