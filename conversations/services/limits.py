"""How much people may use: which limits hold for a person, what is left of them, whether one more answer may begin."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from django.conf import settings
from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.utils import timezone

from conversations.amounts import money
from conversations.llm import estimate_tokens
from conversations.models import LanguageModel, UsageLimit
from conversations.periods import first_day, next_start, seconds_until, tell
from conversations.services.refusals import Refusal, Refused

PAUSE_SECONDS = 15  # to wait until one of several answers may have ended
_MOST_TOKENS = 2**31 - 1  # what the columns hold
_MOST_COST = Decimal(999_999)

# Of a limit: it is the person's own, of a group of theirs, or for everybody.
_HOLDS = """(
    user_id = %(person)s OR user_id IS NULL AND (
        group_id IS NULL OR group_id IN (SELECT group_id FROM accounts_user_groups WHERE user_id = %(person)s)
    )
)"""
# Whether anything limits a person. In one round trip with the lock, but as a statement of its own: it sees what was
# committed while the lock was waited for.
TAKE_TURN = f"""
SELECT FROM accounts_user WHERE id = %(person)s FOR NO KEY UPDATE;
SELECT
    (SELECT count(*) FROM conversations_message WHERE owner_id = %(person)s AND status IN ('queued', 'streaming')),
    EXISTS (
        SELECT FROM conversations_usagelimit
        WHERE {_HOLDS}
    )
"""
_STANDINGS = f"""
WITH holding AS (
    SELECT DISTINCT ON (measure, period) measure, period, amount
    FROM conversations_usagelimit
    WHERE {_HOLDS}
    ORDER BY measure, period, user_id IS NULL, group_id IS NULL, amount DESC
)
SELECT measure, period, amount,
    (
        SELECT coalesce(sum(CASE measure WHEN 'money' THEN cost ELSE input_tokens + output_tokens END), 0)
        FROM conversations_usageday
        WHERE owner_id = %(person)s AND day >= CASE period WHEN 'day' THEN %(day)s::date ELSE %(month)s::date END
    ),
    (
        SELECT coalesce(sum(CASE measure WHEN 'money' THEN reserved_cost ELSE reserved_tokens END), 0)
        FROM conversations_generation AS call
        LEFT JOIN conversations_conversation AS conversation ON conversation.id = call.conversation_id
        LEFT JOIN conversations_trial AS trial ON trial.generation_id = call.id
        WHERE call.status IN ('pending', 'running')
            AND coalesce(conversation.owner_id, trial.asked_by_id) = %(person)s
    )
FROM holding ORDER BY measure DESC, period
"""


class Turn(NamedTuple):
    """How a person stands whose turn it is to begin an answer: the lock on them lasts until the transaction ends."""

    running: int
    """How many of their answers run."""
    is_limited: bool
    """Whether any limit holds for them."""


@dataclass(frozen=True, slots=True)
class Reservation:
    """The most that a call may take, held free in its owner's limits until it ends. Nothing where there is no limit."""

    tokens: int = 0
    cost: Decimal = Decimal(0)

    @property
    def is_kept(self) -> bool:
        """Whether there is a limit to hold anything free in."""
        return bool(self.tokens or self.cost)


@dataclass(frozen=True, slots=True)
class Standing:
    """A limit that holds for a person, and how much of it is gone."""

    measure: UsageLimit.Measure
    period: UsageLimit.Period
    limit: Decimal
    used: Decimal
    held: Decimal
    """Reserved for answers that are being written."""
    today: datetime.date

    @property
    def is_of_money(self) -> bool:
        return self.measure == UsageLimit.Measure.MONEY

    @property
    def is_reached(self) -> bool:
        return self.used + self.held >= self.limit

    @property
    def is_used_up(self) -> bool:
        return self.used >= self.limit

    @property
    def resets_at(self) -> datetime.datetime:
        return next_start(self.period, self.today)

    @property
    def reset(self) -> str:
        """When it begins anew, for people."""
        return tell(self.resets_at, self.today)

    def amount(self, number: Decimal) -> str:
        """Write an amount of what the limit counts."""
        return money(number) if self.is_of_money else f"{number:,.0f}"

    @property
    def allowance(self) -> str:
        """The limit for people: "50,000 tokens", "$20.00"."""
        tokens = "" if self.is_of_money else " tokens"
        return f"{self.amount(self.limit)}{tokens}"

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
        share = 100 * number / self.limit if self.limit else Decimal(100)
        return f"{min(share, Decimal(100)):.2f}"

    def refusal(self) -> Refused:
        """Say that it is reached, and when it is not any more."""
        of_period = "today" if self.period == UsageLimit.Period.DAY else "this month"
        if not self.limit:
            what = "US dollars" if self.is_of_money else "tokens"
            return Refused(
                Refusal.LIMIT,
                f"Answers are switched off for you by a limit of 0 {what} per {self.period}. Ask an administrator.",
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


def standings_of(user_id: int) -> list[Standing]:
    """Return each limit that holds for a person, at most one for each measure and period, with what is gone of it.

    Their own one takes the place of those of their groups, and these of the one for everybody; of several groups the
    most generous counts. Conversations that their owner hid count like the others.
    """
    today = timezone.localdate()
    month = first_day(UsageLimit.Period.MONTH, today)
    with connection.cursor() as cursor:
        cursor.execute(_STANDINGS, {"person": user_id, "day": today, "month": month})
        rows = cursor.fetchall()
    return [
        Standing(UsageLimit.Measure(measure), UsageLimit.Period(period), limit, used, held, today)
        for measure, period, limit, used, held in rows
    ]


def reserve(
    *, owner_id: int, model: LanguageModel, prompt: str, beside: str = "", turn: Turn | None = None
) -> Reservation:
    """Let one more answer begin, and return what its call reserves. Raises Refused (limit, no_model).

    `beside` is what a client supplied with the prompt. No model reads more than its context window holds.
    To be called in the transaction that plans the call, once the answer itself is in the database. It is the person's
    `turn` then, or it is taken now, so that each of their parallel sends sees what the others reserved: of many that
    come with next to nothing left, one goes through. That one may take what it needs; what it took over the limit is
    counted.
    """
    turn = turn or take_turn(owner_id)
    if turn.running > settings.MAX_PARALLEL_ANSWERS:
        raise Refused(
            Refusal.LIMIT,
            f"{settings.MAX_PARALLEL_ANSWERS} of your answers are being written, and more cannot be at once. "
            "Try again when one has ended.",
            retry_after=PAUSE_SECONDS,
        )
    if not turn.is_limited:
        return Reservation()
    standings = standings_of(owner_id)
    _require_left(standings)
    tokens = min(estimate_tokens(prompt) + estimate_tokens(beside), model.context_window)
    cost = _cost(model, tokens) if any(standing.is_of_money for standing in standings) else Decimal(0)
    if cost is None:
        raise Refused(
            Refusal.NO_MODEL,
            f"What {model.label} costs is not known, so your limit in US dollars cannot be kept with it. "
            "Choose another one, or ask an administrator to enter its price.",
        )
    return Reservation(min(tokens + model.max_output_tokens, _MOST_TOKENS), min(cost, _MOST_COST))


def take_turn(owner_id: int) -> Turn:
    """Lock the person until the transaction ends, and return how they stand."""
    with connection.cursor() as cursor:
        cursor.execute(TAKE_TURN, {"person": owner_id})
        return read_turn(cursor)


def read_turn(cursor: CursorWrapper) -> Turn:
    """Return what TAKE_TURN, the end of what `cursor` has carried out, tells."""
    while cursor.nextset():
        pass
    return Turn(*cursor.fetchone())


def _require_left(standings: Sequence[Standing]) -> None:
    """Raise Refused (limit) where a limit is reached: of several, the one that stands longest in the way."""
    reached = [standing for standing in standings if standing.is_reached]
    if reached:
        raise max(reached, key=_lasts).refusal()


def _lasts(standing: Standing) -> tuple[bool, bool, datetime.datetime]:
    return not standing.limit, standing.is_used_up, standing.resets_at


def _cost(model: LanguageModel, tokens: int) -> Decimal | None:
    """Return the most that an answer may cost; None where that is not known."""
    price = model.price_on(timezone.localdate())
    if price is None:
        return Decimal(0) if model.is_local else None
    return price.cost(input_tokens=tokens, cached_tokens=0, output_tokens=model.max_output_tokens)
