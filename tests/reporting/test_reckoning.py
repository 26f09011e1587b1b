"""When days are reckoned: once for what there was, then for what changed, and as often as anybody likes."""

import datetime
from decimal import Decimal

import pytest
from django.utils import timezone
from pytest_django import Settings

from conversations.models import Conversation, Feedback, Generation, Message, Trial
from conversations.services import (
    CallProgress,
    conclude_conversation,
    continue_conversation,
    finish_answer,
    send_message,
)
from records.models import UsageChange, UsageFact, UsageSum, Watermark
from records.services.usage_facts import OVERLAP, find_marked_days, keep_usage, reckon_day
from tests.factories import make_assistant, make_model, make_user, token
from tests.reporting.used import (
    assert_adds_up,
    counted,
    kept,
    kept_by,
    make_conversation_at,
    make_turn,
    moment,
    rate,
    rebuild,
    total,
    used_at,
)
from tests.services.calls import FINISHED, claim
from tests.services.concluded import make_answered

pytestmark = pytest.mark.django_db
DAY = datetime.date(2026, 3, 5)


def test_reckoning_again_changes_nothing() -> None:
    used_at("2026-03-05")
    used_at("2026-04-01")
    keep_usage()
    once = kept(), kept_by("month"), kept_by("year"), list(UsageFact.objects.order_by("pk").values_list("pk"))
    for day in (DAY, datetime.date(2026, 4, 1), datetime.date(2026, 3, 6)):
        assert reckon_day(day=day) == 0
    rebuild()
    assert (kept(), kept_by("month"), kept_by("year")) == once[:3]
    assert list(UsageFact.objects.order_by("pk").values_list("pk")) == once[3]


def test_months_and_years_are_the_sums_of_their_days() -> None:
    owner, assistant = make_user(), make_assistant()
    for day in ("2025-12-31", "2026-01-01", "2026-01-31", "2026-02-01", "2026-02-28"):
        used_at(day, owner=owner, assistant=assistant)
    keep_usage()
    assert_adds_up(counted())
    assert [str(row.start) for row in UsageSum.objects.filter(period="year", kind="person").order_by("start")] == [
        "2025-01-01",
        "2026-01-01",
    ]


def test_an_answer_that_ends_days_later_counts_for_its_own_day() -> None:
    conversation = make_conversation_at(moment("2026-03-05"))
    answer = make_turn(
        conversation, moment("2026-03-05"), status="streaming", waited_ms=None,
        call={"cost": None, "output_tokens": None},
    )  # fmt: skip
    keep_usage()
    assert total(kept()) == {"conversations": 1, "prompts": 1}
    assert find_marked_days() == [DAY]  # for as long as it is waited for

    keep_usage()
    Message.objects.filter(pk=answer.pk).update(status="completed")
    Generation.objects.update(status="completed", output_tokens=20, cost="0.00045", first_text_at=moment("2026-03-07"))
    keep_usage()
    assert kept() == counted()
    assert total(kept())["answers"] == 1
    assert find_marked_days() == []


def test_a_call_that_begins_on_the_next_day_counts_there() -> None:
    conversation = make_conversation_at(moment("2026-03-05", "23:59"))
    make_turn(conversation, moment("2026-03-05", "23:59"), call={"started_at": moment("2026-03-06", "00:01")})
    keep_usage()
    assert {str(day): sorted(values) for (day, *_), values in kept().items()} == {
        "2026-03-05": ["answers", "conversations", "first_text_250ms", "first_texts", "prompts"],  # no wait is negative
        "2026-03-06": ["cached_tokens", "calls", "cost", "input_tokens", "output_tokens", "reasoning_tokens"],
    }
    assert kept() == counted()


@pytest.mark.parametrize("later", ["up", "down", "taken back"])
def test_a_rating_given_changed_or_taken_back_later_is_taken_in(later: str) -> None:
    answer = used_at("2026-03-05").messages.get(role="assistant")
    rate(answer, "down")
    keep_usage()
    assert total(kept())["thumbs_down"] == 1
    assert find_marked_days() == []

    if later == "taken back":
        Feedback.objects.all().delete()
    else:
        rate(answer, later)
    assert find_marked_days() == [DAY]
    keep_usage()
    sums = total(kept())
    assert (sums.get("thumbs_up", 0), sums.get("thumbs_down", 0)) == (int(later == "up"), int(later == "down"))
    assert_adds_up(counted())


def test_what_is_new_since_the_last_time_is_taken_in_without_reading_the_rest() -> None:
    used_at("2026-03-05")
    keep_usage()
    assert UsageChange.objects.count() == 0
    make_answered()
    keep_usage()
    assert kept() == counted()
    Watermark.objects.update(at=timezone.now() + OVERLAP + datetime.timedelta(minutes=1))  # nothing since then
    assert keep_usage() == 0


def test_a_row_that_was_committed_late_is_found_by_its_time() -> None:
    used_at("2026-03-05")
    keep_usage()
    at = timezone.now() - OVERLAP / 2
    make_turn(make_conversation_at(at), at)
    keep_usage()
    assert kept() == counted()


def test_a_run_that_has_no_time_left_leaves_the_rest_marked() -> None:
    for day in ("2026-03-05", "2026-03-06", "2026-03-07"):
        used_at(day)
    for left in (2, 1, 0):
        assert keep_usage(seconds=0) == 1
        assert len(find_marked_days()) == left
    assert kept() == counted()


def test_the_latest_days_come_first() -> None:
    for day in ("2026-03-05", "2026-03-07", "2026-03-06"):
        used_at(day)
    keep_usage(seconds=0)
    assert [key[0].day for key in kept()] == [7]
    assert [day.day for day in find_marked_days()] == [6, 5]


def test_what_is_repeated_in_a_continuation_counts_once() -> None:
    conversation = make_answered(turns=2)
    conclude_conversation(conversation=conversation)
    continued = continue_conversation(conversation=conversation)
    keep_usage()
    sums = total(kept())
    assert sums["conversations"] == sums["prompts"] == sums["answers"] == 2
    assert kept() == counted()

    sent = send_message(owner=continued.owner, conversation_id=continued.pk, prompt="And?", client_token=token())
    finish_answer(plan=claim(sent), finished=FINISHED, text="So.", progress=CallProgress())
    keep_usage()
    assert total(kept())["prompts"] == 3
    assert kept() == counted()


def test_earlier_days_keep_their_assistant_when_another_one_answers_next() -> None:
    conversation = used_at("2026-03-05")
    Generation.objects.create(
        purpose="title", status="completed", conversation=conversation, model=make_model(), model_asked="gpt-4o",
        started_at=moment("2026-03-05"), output_tokens=3, usage_source="exact", cost=0,
    )  # fmt: skip
    keep_usage()
    once = kept()
    Conversation.objects.update(assistant=make_assistant())
    reckon_day(day=DAY)
    assert kept() == once == counted()


def test_a_call_for_nobodys_conversation_is_kept_under_nobody() -> None:
    Generation.objects.create(
        purpose="test", status="completed", model=make_model(), model_asked="gpt-4o", started_at=moment("2026-03-05"),
        input_tokens=5, output_tokens=3, usage_source="exact", cost="0.00001",
    )  # fmt: skip
    keep_usage()
    row = UsageFact.objects.get()
    assert (row.owner_id, row.assistant_id, row.model_id) == (0, 0, make_model().pk)
    assert (row.calls, row.cost) == (1, Decimal("0.00001"))


def test_what_was_tried_out_counts_for_who_tried_it() -> None:
    person, assistant = make_user(), make_assistant()
    call = Generation.objects.create(
        purpose="preview", status="completed", model=make_model(), model_asked="gpt-4o",
        started_at=moment("2026-03-05"), input_tokens=5, output_tokens=3, usage_source="exact", cost="0.00001",
    )  # fmt: skip
    Trial.objects.create(generation=call, asked_by=person, assistant=assistant, prompt="Hello?")
    keep_usage()
    row = UsageFact.objects.get()
    assert (row.owner_id, row.assistant_id, row.calls, row.prompts) == (person.pk, assistant.pk, 1, 0)


@pytest.mark.parametrize(
    ("zone", "at", "day"),
    [
        ("UTC", "2026-03-28T23:30", "2026-03-28"),
        ("Europe/Berlin", "2026-03-28T23:30", "2026-03-29"),
        ("Europe/Berlin", "2026-10-25T23:30", "2026-10-26"),
        ("America/New_York", "2026-12-01T04:30", "2026-11-30"),
        ("Asia/Kolkata", "2026-12-31T18:30", "2027-01-01"),
    ],
)
def test_days_are_those_of_the_server(settings: Settings, zone: str, at: str, day: str) -> None:
    settings.TIME_ZONE = zone
    time = datetime.datetime.fromisoformat(f"{at}+00:00")
    make_turn(make_conversation_at(time), time)
    keep_usage()
    assert {str(key[0]) for key in kept()} == {day}
    assert kept() == counted()


def test_a_change_of_the_zone_is_taken_in_by_a_rebuild(settings: Settings) -> None:
    make_turn(make_conversation_at(moment("2026-03-31", "23:30")), moment("2026-03-31", "23:30"))
    keep_usage()
    settings.TIME_ZONE = "Europe/Berlin"
    told = rebuild()
    assert {str(key[0]) for key in kept()} == {"2026-04-01"}
    assert_adds_up(counted())
    assert "2 of them came to something else" in told


def test_a_rebuild_mends_months_that_somebody_spoiled() -> None:
    used_at("2026-03-05")
    keep_usage()
    UsageSum.objects.update(calls=99)
    rebuild()
    assert_adds_up(counted())


def test_an_empty_record_comes_to_nothing() -> None:
    keep_usage()
    assert kept() == {}
    rebuild()
    assert kept() == {}
