"""Which limits hold for whom, and over which day or month they count."""

import datetime

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone
from pytest_django import Settings

from accounts.models import User
from conversations import periods
from conversations.models import Assistant, UsageDay, UsageLimit
from conversations.services import (
    Refused,
    standings_of,
    stop_answer,
)
from tests.factories import make_user
from tests.services.limited import begin, limit, use

pytestmark = pytest.mark.django_db


def amounts(user: User) -> dict[tuple[str, str], int]:
    return {(one.measure, one.period): int(one.limit) for one in standings_of(user.pk)}


# -- which limits hold -------------------------------------------------------------------------------------------------


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
