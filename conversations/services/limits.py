"""How much people may use: which limits hold for a person, what is left of them, whether one more answer may begin."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import connection
from django.db.models import F, Sum
from django.utils import timezone

from conversations.amounts import money
from conversations.llm import estimate_tokens
from conversations.models import Generation, LanguageModel, UsageDay, UsageLimit
from conversations.periods import first_day, next_start, seconds_until, tell
from conversations.services.refusals import Refusal, Refused

if TYPE_CHECKING:
    from accounts.models import User

PAUSE_SECONDS = 15  # to wait until one of several answers may have ended
_MOST_TOKENS = 2**31 - 1  # what the columns hold
_MOST_COST = Decimal(999_999)

# In one round trip, but two statements: the second one sees what was committed while the first one waited its turn.
_TAKE_TURN = """
SELECT FROM accounts_user WHERE id = %(owner)s FOR NO KEY UPDATE;
SELECT
    (SELECT count(*) FROM conversations_message WHERE owner_id = %(owner)s AND status IN ('queued', 'streaming')),
    EXISTS (
        SELECT FROM conversations_usagelimit
        WHERE user_id = %(owner)s OR user_id IS NULL AND (
            group_id IS NULL OR group_id IN (SELECT group_id FROM accounts_user_groups WHERE user_id = %(owner)s)
        )
    )
"""


@dataclass(frozen=True, slots=True)
class Reservation:
    """The most that a call may take, held free in its owner's limits until it ends. Nothing where there is no limit."""

    tokens: int = 0
    cost: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Standing:
    """A limit that holds for a person, and how much of it is gone."""

    limit: UsageLimit
    used: Decimal
    held: Decimal
    """Reserved for answers that are being written."""
    today: datetime.date

    @property
    def is_reached(self) -> bool:
        return self.used + self.held >= self.limit.amount

    @property
    def is_used_up(self) -> bool:
        return self.used >= self.limit.amount

    @property
    def resets_at(self) -> datetime.datetime:
        return next_start(self.limit.period, self.today)

    @property
    def reset(self) -> str:
        """When it begins anew, for people."""
        return tell(self.resets_at, self.today)

    def amount(self, number: Decimal) -> str:
        """Write an amount of what the limit counts."""
        return money(number) if self.limit.measure == UsageLimit.Measure.MONEY else f"{number:,.0f}"

    @property
    def allowance(self) -> str:
        """The limit for people: "50,000 tokens", "$20.00"."""
        tokens = "" if self.limit.measure == UsageLimit.Measure.MONEY else " tokens"
        return f"{self.amount(self.limit.amount)}{tokens}"

    @property
    def used_amount(self) -> str:
        return self.amount(self.used)

    @property
    def held_amount(self) -> str:
        return self.amount(self.held)

    @property
    def used_share(self) -> str:
        """How much of it is used, in per cent."""
        return self._share(self.used)

    @property
    def held_share(self) -> str:
        """How much of it is used or held, in per cent."""
        return self._share(self.used + self.held)

    def _share(self, number: Decimal) -> str:
        share = 100 * number / self.limit.amount if self.limit.amount else Decimal(100)
        return f"{min(share, Decimal(100)):.2f}"

    def refusal(self) -> Refused:
        """Say that it is reached, and when it is not any more."""
        of_period = "today" if self.limit.period == UsageLimit.Period.DAY else "this month"
        if not self.limit.amount:
            what = "US dollars" if self.limit.measure == UsageLimit.Measure.MONEY else "tokens"
            return Refused(
                Refusal.LIMIT,
                f"Answers are switched off for you by a limit of 0 {what} per {self.limit.period}. "
                "Ask an administrator.",
            )
        used = f"{self.allowance} of {of_period} ({self.amount(self.used)} used)"
        if not self.is_used_up:
            return Refused(
                Refusal.LIMIT,
                f"What is left of your {used} is held for answers that are being written. "
                "Try again when they have ended.",
                retry_after=PAUSE_SECONDS,
            )
        return Refused(
            Refusal.LIMIT,
            f"You have used your {used}. It resets {self.reset}.",
            retry_after=seconds_until(self.resets_at),
        )


def limits_of(user: User) -> list[UsageLimit]:
    """Return the limits that hold for a person, at most one for each measure and period.

    Their own one takes the place of those of their groups, and these of the one for everybody; of several groups the
    most generous counts.
    """
    found: dict[tuple[str, str], UsageLimit] = {}
    for limit in UsageLimit.objects.applying_to(user).order_by("-measure", "period"):  # tokens first
        kind = limit.measure, limit.period
        if kind not in found or _comes_before(limit, found[kind]):
            found[kind] = limit
    return list(found.values())


def standings_of(user: User) -> list[Standing]:
    """Return each limit that holds for a person with what is gone of it; hidden conversations count like the others."""
    limits = limits_of(user)
    if not limits:
        return []
    today = timezone.localdate()
    held = Generation.objects.filter(status__in=Generation.OPEN, conversation__owner=user).aggregate(
        tokens=Sum("reserved_tokens"), money=Sum("reserved_cost")
    )
    used = {
        period: UsageDay.objects.visible_to(user)
        .filter(day__gte=first_day(period, today))
        .aggregate(tokens=Sum(F("input_tokens") + F("output_tokens")), money=Sum("cost"))
        for period in {limit.period for limit in limits}
    }
    return [
        Standing(limit, Decimal(used[limit.period][limit.measure] or 0), Decimal(held[limit.measure] or 0), today)
        for limit in limits
    ]


def reserve(*, owner_id: int, model: LanguageModel, prompt: str) -> Reservation:
    """Let one more answer begin, and return what its call reserves. Raises Refused (limit, no_model).

    To be called in the transaction that plans the call, once the answer itself is in the database. The lock on the
    person makes their parallel sends take turns, so that each sees what the others reserved: of many that come with
    next to nothing left, one goes through. That one may take what it needs; what it took over the limit is counted.
    """
    running, is_limited = _take_turn(owner_id)
    if running > settings.MAX_PARALLEL_ANSWERS:
        raise Refused(
            Refusal.LIMIT,
            f"{settings.MAX_PARALLEL_ANSWERS} of your answers are being written, and more cannot be at once. "
            "Try again when one has ended.",
            retry_after=PAUSE_SECONDS,
        )
    if not is_limited:
        return Reservation()
    standings = standings_of(get_user_model().objects.get(pk=owner_id))
    _require_left(standings)
    price = model.price_on(timezone.localdate())
    tokens = estimate_tokens(prompt)
    if price is not None:
        cost = price.cost(input_tokens=tokens, cached_tokens=0, output_tokens=model.max_output_tokens)
    else:
        _require_no_money_limit(standings, model)
        cost = Decimal(0)
    return Reservation(min(tokens + model.max_output_tokens, _MOST_TOKENS), min(cost, _MOST_COST))


def _comes_before(limit: UsageLimit, other: UsageLimit) -> bool:
    near, far = _nearness(limit), _nearness(other)
    return limit.amount > other.amount if near == far else near > far


def _nearness(limit: UsageLimit) -> int:
    if limit.user_id is not None:
        return 2
    return 1 if limit.group_id is not None else 0


def _take_turn(owner_id: int) -> tuple[int, bool]:
    """Wait for the person's turn; return how many of their answers run, and whether any limit holds for them."""
    with connection.cursor() as cursor:
        cursor.execute(_TAKE_TURN, {"owner": owner_id})
        cursor.nextset()
        running, is_limited = cursor.fetchone()
    return running, is_limited


def _require_left(standings: Sequence[Standing]) -> None:
    """Raise Refused (limit) where a limit is reached: of several, the one that stands longest in the way."""
    reached = [standing for standing in standings if standing.is_reached]
    if reached:
        raise max(reached, key=_lasts).refusal()


def _lasts(standing: Standing) -> tuple[bool, bool, datetime.datetime]:
    return not standing.limit.amount, standing.is_used_up, standing.resets_at


def _require_no_money_limit(standings: Sequence[Standing], model: LanguageModel) -> None:
    """Raise Refused (no_model) where a limit counts money and what the model costs is not known."""
    for standing in standings:
        if standing.limit.measure == UsageLimit.Measure.MONEY and not model.is_local:
            raise Refused(
                Refusal.NO_MODEL,
                f"What {model.label} costs is not known, so your limit of {standing.allowance} per "
                f"{standing.limit.period} cannot be kept with it. Choose another one, or ask an administrator to "
                "enter its price.",
            )
