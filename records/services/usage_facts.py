"""Sums of use by day, person, assistant and model, and by month and year: reckoned by a job, a day at a time.

Each measure of a day hangs on rows of that day: conversations, prompts and answers on when they were made, calls on
when they were started, ratings on their answer. So a day can be reckoned anew at any time, and comes to the same.
What is removed by retention keeps its part, to which nothing is ever subtracted again: see `keep_removed`.
"""

from __future__ import annotations

import datetime
import time
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from records.models import Tombstone, UsageSum, Watermark
from records.services.usage_statements import (
    KEEP_REMOVED,
    MARK_ALL,
    MARKED_DAYS,
    NOTICE,
    RECKON_DAY,
    SUM_ALL_DAYS,
    TAKE_MARKS,
    TIDY_DAY,
)

RUN_SECONDS = 40.0  # the next run comes after 60
WATERMARK = "usage"
# How long after its time a row may be committed: clocks differ, and transactions that idle are ended after 30 s.
OVERLAP = datetime.timedelta(minutes=15)
_LOCK = 7_214_530_986_114_205_337  # of whoever changes these sums; any number that nobody else locks will do


def keep_usage(*, seconds: float = RUN_SECONDS) -> int:
    """Reckon the days in which something changed, the latest first, each in a transaction of its own.

    Return how many there were; what `seconds` did not suffice for is done by the next run. The first run reckons all
    days there are. Killed at any point it loses nothing: a day's mark goes in the transaction that writes its sums.
    """
    give_up_at = time.monotonic() + seconds
    _notice_changes()
    count = 0
    for day in find_marked_days():
        reckon_day(day=day)
        count += 1
        if time.monotonic() > give_up_at:
            break
    return count


def reckon_day(*, day: datetime.date) -> int:
    """Sum up a day anew and write what differs, also to its month and year; return how many sums differed.

    Twice is as once. The marks of the day are taken first and its rows are read afterwards, so that what is committed
    later has left a mark of its own. While an answer of the day is waited for, the day stays marked.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        take_turn()
        values: dict[str, Any] = {"day": day, "zone": settings.TIME_ZONE}
        cursor.execute(TAKE_MARKS, values)
        cursor.execute(RECKON_DAY, values)
        (count,) = cursor.fetchone() or (0,)
        cursor.execute(TIDY_DAY, values)
        return int(count)


def keep_removed(*, conversation_ids: Sequence[UUID]) -> None:
    """Keep what these conversations amount to, for good. To be called once for each, by whoever removes them.

    Call it in the transaction that writes their tombstones, after these and before any of their rows goes: from here on
    their rows count no more, removed or not, and their part stands among what was removed. So no sum changes, whenever
    the days are reckoned anew. Raises ValueError where a tombstone is missing, as the conversation would count twice.
    """
    ids = sorted(set(conversation_ids))
    with transaction.atomic(), connection.cursor() as cursor:
        if Tombstone.objects.filter(pk__in=ids).count() != len(ids):
            raise ValueError("A conversation without a tombstone is in the record, and counts there.")
        take_turn()
        cursor.execute(KEEP_REMOVED, {"ids": ids, "zone": settings.TIME_ZONE})


def mark_all_days() -> int:
    """Have all days reckoned anew by the job, the latest first, and add up months and years from days.

    For existing data, and after a change of TIME_ZONE. Return how many days there are.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        take_turn()
        UsageSum.objects.all().delete()
        cursor.execute(SUM_ALL_DAYS)
        return _mark_all()


def find_marked_days() -> list[datetime.date]:
    """Return the days that are to be reckoned anew, the latest first."""
    with connection.cursor() as cursor:
        cursor.execute(MARKED_DAYS, {"zone": settings.TIME_ZONE})
        return [row[0] for row in cursor.fetchall()]


def _notice_changes() -> None:
    """Mark the days of all rows that came since the last time; the first time, all days."""
    with transaction.atomic(), connection.cursor() as cursor:
        take_turn()
        mark = Watermark.objects.filter(pk=WATERMARK).first()
        if mark is None:
            _mark_all()
            return
        now = timezone.now()
        cursor.execute(NOTICE, {"since": mark.at - OVERLAP, "zone": settings.TIME_ZONE})
        mark.at = now
        mark.save()


def _mark_all() -> int:
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(MARK_ALL, {"zone": settings.TIME_ZONE})
        Watermark.objects.update_or_create(pk=WATERMARK, defaults={"at": now})
        return int(cursor.rowcount)


def take_turn() -> None:
    """Take turns with all who change these sums, until the transaction ends.

    Sums are changed by differences, and two who reckon the same difference would both add it.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
