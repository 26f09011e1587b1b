"""Days and months as limits count them: in the zone of the server, whatever its clocks do."""

from __future__ import annotations

import datetime
import math

from django.utils import timezone

DAY, MONTH = "day", "month"


def first_day(period: str, today: datetime.date) -> datetime.date:
    """Return the day on which the period that `today` is in began."""
    return today if period == DAY else today.replace(day=1)


def next_start(period: str, today: datetime.date) -> datetime.datetime:
    """Return the moment at which the period after that of `today` begins.

    In some zones a day begins at 01:00 when the clocks go forward; the moment is right all the same.
    """
    if period == DAY:
        day = today + datetime.timedelta(days=1)
    else:
        day = (today.replace(day=28) + datetime.timedelta(days=4)).replace(day=1)
    midnight = datetime.datetime.combine(day, datetime.time(), timezone.get_default_timezone())
    return midnight.astimezone(datetime.UTC)


def midnight(day: datetime.date) -> datetime.datetime:
    """Return the moment at which a day begins in the zone in use."""
    return timezone.make_aware(datetime.datetime.combine(day, datetime.time.min))


def tell(moment: datetime.datetime, today: datetime.date) -> str:
    """Write a moment to come for people: "tomorrow at 00:00 UTC", "on 1 December at 00:00 CET"."""
    local = moment.astimezone(timezone.get_default_timezone())
    is_tomorrow = local.date() - today == datetime.timedelta(days=1)
    zone = local.tzname() or ""
    named = f"UTC{zone}" if zone[:1] in "+-" else zone  # many zones have no letters of their own
    return f"{'tomorrow' if is_tomorrow else f'on {local:%-d %B}'} at {local:%H:%M} {named}"


def seconds_until(moment: datetime.datetime) -> int:
    """Return how many seconds there are until `moment`, at least one."""
    return max(math.ceil((moment - timezone.now()).total_seconds()), 1)
