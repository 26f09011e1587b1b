"""A report on use: what somebody asks for, and the sums that answer it."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import Group
from django.db import connection

from accounts.models import User
from conversations.models import Assistant, LanguageModel
from records.models import UsageSum
from records.reporting.spans import Span, put_together
from records.reporting.statements import EARLIEST, PEOPLE, SUMS
from records.reporting.sums import Sums, added

BY = {"day": "Day", "group": "Group", "assistant": "Assistant", "model": "Model", "person": "Person"}
NOBODY = {"group": "In no group", "assistant": "No assistant", "model": "No model", "person": "Nobody"}


@dataclass(frozen=True, slots=True)
class Asked:
    """Which days, by what the sums are told apart, and what is left out. Group 0 is those who are in no group."""

    span: Span
    by: str = "day"
    group_id: int | None = None
    assistant_id: int | None = None
    model_id: int | None = None
    person_id: int | None = None

    @property
    def tells_services_apart(self) -> bool:
        """Whether some assistants or models are left out."""
        return self.assistant_id is not None or self.model_id is not None

    @property
    def kind(self) -> str:
        """The kind of sums that knows what is asked for, in the fewest rows."""
        services = self.tells_services_apart or self.by in ("assistant", "model")
        people = self.group_id is not None or self.person_id is not None or self.by in ("group", "person")
        if services and people:
            return UsageSum.Kind.EACH
        return UsageSum.Kind.PERSON if people else UsageSum.Kind.SERVICE


@dataclass(frozen=True, slots=True)
class Step:
    """A day, month or year of the span; `first` and `last` are those of its days that the span includes."""

    start: datetime.date
    first: datetime.date
    last: datetime.date
    sums: Sums


@dataclass(frozen=True, slots=True)
class Part:
    """An assistant, group, model or person; `name` is how people know it, `key` how an address names it."""

    id: int
    name: str
    key: str
    sums: Sums


@dataclass(frozen=True, slots=True)
class Report:
    """All steps of the span in order, also those without any use; its parts as asked for, the most used first."""

    asked: Asked
    total: Sums
    steps: list[Step]
    parts: list[Part]
    more_parts: int
    """How many parts are not told."""

    @property
    def is_empty(self) -> bool:
        return not any(self.total.values.values())


def read_report(asked: Asked, *, most: int | None = None) -> Report:
    """Add up what was asked for; of parts `most` at most. In a few queries, whatever the span."""
    values: dict[str, Any] = put_together(asked.span).values() | {
        "step": asked.span.step,
        "by": asked.by,
        "group": asked.group_id,
        "assistant": asked.assistant_id,
        "model": asked.model_id,
        "person": asked.person_id,
        "most": most,
        "kind": asked.kind,
        "kind_of_people": UsageSum.Kind.EACH if asked.tells_services_apart else UsageSum.Kind.PERSON,
    }
    with connection.cursor() as cursor:
        cursor.execute(SUMS, values)
        names = [column.name for column in cursor.description or ()][3:]
        rows = cursor.fetchall()
        cursor.execute(PEOPLE, values)
        people = {(step, what): number for step, what, number in cursor.fetchall()}
    summed = [(step, what, dict(zip(names, sums, strict=True))) for step, what, _, *sums in rows]
    by_step = {step: Sums(sums, people.get((step, None), 0)) for step, _, sums in summed if step is not None}
    found = [(what, sums) for step, what, sums in summed if step is None]
    return Report(
        asked,
        added(by_step.values(), people.get((None, None), 0)),
        _steps(asked.span, by_step),
        _parts(asked.by, found, people),
        max((row[2] for row in rows), default=0) - len(found),
    )


def earliest_day() -> datetime.date | None:
    """Return the first day with any use."""
    with connection.cursor() as cursor:
        cursor.execute(EARLIEST)
        (day,) = cursor.fetchone() or (None,)
        return day


def _steps(span: Span, by_step: dict[datetime.date, Sums]) -> list[Step]:
    starts = span.starts()
    lasts = [start - datetime.timedelta(days=1) for start in starts[1:]] + [span.last]
    return [
        Step(start, max(start, span.first), last, by_step.get(start, Sums({})))
        for start, last in zip(starts, lasts, strict=True)
    ]


def _parts(by: str, found: Sequence[tuple[int, dict[str, Any]]], people: dict[tuple[None, int], int]) -> list[Part]:
    if by == "person":
        people = {(None, what): int(what != 0 and sums["prompts"] > 0) for what, sums in found}
    named = _named(by, [what for what, _ in found])
    return [
        Part(what, *named.get(what, (f"{BY[by]} {what}, removed", "")), Sums(sums, people.get((None, what), 0)))
        for what, sums in found
    ]


def _named(by: str, ids: Sequence[int]) -> dict[int, tuple[str, str]]:
    """Return name and key by id."""
    names: dict[int, tuple[str, str]] = {0: (NOBODY.get(by, ""), "none" if by == "group" else "")}
    match by:
        case "group":
            names |= {group.pk: (group.name, str(group.pk)) for group in Group.objects.filter(pk__in=ids)}
        case "assistant":
            found = Assistant.objects.filter(pk__in=ids).values_list("pk", "name", "slug")
            names |= {pk: (name, slug) for pk, name, slug in found}
        case "model":
            models = LanguageModel.objects.filter(pk__in=ids).values_list("pk", "label", "name")
            names |= {pk: (label, name) for pk, label, name in models}
        case "person":
            users = User.objects.filter(pk__in=ids).only("username", "first_name", "last_name")
            names |= {user.pk: (str(user), user.username) for user in users}
    return names
