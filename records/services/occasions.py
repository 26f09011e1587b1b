"""What the policies of review find in a slice of time: who is to be looked at, and where, and why."""

from __future__ import annotations

import datetime
import hashlib
import logging
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import batched
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection
from django.db.models import Max, Sum
from django.db.models.functions import Coalesce

from conversations.models import Conversation, Feedback, Generation, Message
from conversations.search.reading import Unsearchable, read_query
from records.models import ReviewPolicy

logger = logging.getLogger(__name__)

QUIET = datetime.timedelta(minutes=5)
"""A sampled conversation comes in when nothing was said for so long, or when it is concluded: to be read as a whole."""
BATCH = 1000
Kind = ReviewPolicy.Kind

# Titles (weight A) are left out: they are made of what was said, or changed long after. `ts_filter` keeps the weights
# of texts and files. Of each policy the first line that was found is told.
_KEYWORDS = """
WITH worded AS MATERIALIZED (
    SELECT id, ts_filter(search_vector, '{b,c}') AS words FROM conversations_message WHERE id = ANY(%(ids)s)
), found AS MATERIALIZED (
    SELECT id, words FROM worded WHERE words @@ %(any)s::tsquery
)
SELECT DISTINCT ON (found.id, line.policy_id) found.id, line.policy_id, line.text
FROM found JOIN unnest(%(policies)s::bigint[], %(lines)s::text[], %(queries)s::text[])
    WITH ORDINALITY AS line (policy_id, text, query, place) ON found.words @@ line.query::tsquery
ORDER BY found.id, line.policy_id, line.place
"""


class Occasion(NamedTuple):
    """Something that a policy is about."""

    policy_id: int
    conversation_id: UUID
    message_id: UUID | None
    """Empty where it is about the whole conversation."""
    at: datetime.datetime
    words: str = ""
    cost: Decimal | None = None


class Line(NamedTuple):
    """A line of keywords, and the query that it is."""

    policy_id: int
    text: str
    query: str


class _Said(NamedTuple):
    """A message that has ended, as far as policies ask. It is its assistant's, or its conversation's."""

    id: UUID
    conversation_id: UUID
    status: str
    at: datetime.datetime
    created_at: datetime.datetime
    assistant_id: int
    last_activity_at: datetime.datetime
    state: str


def find_occasions(
    policies: Sequence[ReviewPolicy],
    lines: Sequence[Line],
    *,
    since: datetime.datetime,
    until: datetime.datetime,
    now: datetime.datetime,
) -> Iterator[list[Occasion]]:
    """Yield what the policies find in what was said, rated or spent from `since` on and before `until`.

    Each policy looks at what was said since it was made; `lines` are what `read_lines` made of their keywords. What is
    repeated in the continuation of a concluded conversation is not looked at twice.
    """
    of_messages = [policy for policy in policies if policy.kind in (Kind.SAMPLE, Kind.REFUSED, Kind.KEYWORDS)]
    if of_messages:
        for said in _batches_of_messages(since, until):
            yield _in_messages(of_messages, lines, said, now)
    if ratings := [policy for policy in policies if policy.kind == Kind.FEEDBACK]:
        yield _in_ratings(ratings, since, until)
    if costs := [policy for policy in policies if policy.kind == Kind.COST]:
        yield from _in_calls(costs, since, until)


def read_lines(policies: Sequence[ReviewPolicy]) -> list[Line]:
    """Return the keywords of policies as queries, without lines that cannot be searched for."""
    lines = []
    for policy in policies:
        if policy.kind == Kind.KEYWORDS:
            lines += [Line(policy.pk, text, query) for text in policy.keyword_lines if (query := _query(text))]
    return lines


def _query(text: str) -> str:
    try:
        return read_query(text).exact
    except Unsearchable:  # the language of search was changed, and now it is a word that nearly every text holds
        logger.warning("The keywords %r of a review policy cannot be searched for", text)
        return ""


def is_sampled(conversation_id: UUID, percent: Decimal) -> bool:
    """Tell whether a conversation belongs to a sample of so many in a hundred: always the same ones of them.

    Its id alone decides, by a hash, so that looking again samples nothing else, and of two samples the larger one
    holds the smaller one.
    """
    place = int.from_bytes(hashlib.sha256(conversation_id.bytes).digest()[:8])
    return place < int(percent * 2**64 / 100)


def first_id_of(moment: datetime.datetime) -> UUID:
    """Return the smallest id that something made at this moment can have (UUID version 7 begins with its time)."""
    return UUID(int=max(int(moment.timestamp() * 1000), 0) << 80)


def moment_of(row_id: UUID) -> datetime.datetime:
    """Return when an id was made, to the millisecond."""
    return datetime.datetime.fromtimestamp((row_id.int >> 80) / 1000, datetime.UTC)


def _batches_of_messages(since: datetime.datetime, until: datetime.datetime) -> Iterator[list[_Said]]:
    after, end = first_id_of(since), first_id_of(until)
    messages = (
        Message.objects.exclude(status__in=Message.RUNNING)
        .filter(pk__lt=end, copy_of=None)
        .order_by("pk")
        .values_list(
            "pk",
            "conversation_id",
            "status",
            Coalesce("finished_at", "created_at"),
            "created_at",
            Coalesce("assistant_id", "conversation__assistant_id"),
            "conversation__last_activity_at",
            "conversation__state",
        )
    )
    while batch := [_Said(*row) for row in messages.filter(pk__gte=after)[:BATCH]]:
        yield batch
        after = UUID(int=batch[-1].id.int + 1)


def _in_messages(
    policies: Sequence[ReviewPolicy], lines: Sequence[Line], batch: Sequence[_Said], now: datetime.datetime
) -> list[Occasion]:
    found = []
    worded = _worded(lines, batch)
    for policy in policies:
        for said in batch:
            if said.created_at < policy.created_at or policy.assistant_id not in (None, said.assistant_id):
                continue
            if policy.kind == Kind.REFUSED and said.status == Message.Status.REFUSED:
                found.append(Occasion(policy.pk, said.conversation_id, said.id, said.at))
            elif policy.kind == Kind.KEYWORDS and (words := worded.get((said.id, policy.pk))):
                found.append(Occasion(policy.pk, said.conversation_id, said.id, said.at, words=words))
            elif policy.kind == Kind.SAMPLE and _is_whole(said, now) and is_sampled(said.conversation_id, _of(policy)):
                found.append(Occasion(policy.pk, said.conversation_id, None, said.at))
    return found


def _of(policy: ReviewPolicy) -> Decimal:
    return policy.percent or Decimal(0)


def _is_whole(said: _Said, now: datetime.datetime) -> bool:
    return said.state == Conversation.State.CONCLUDED or said.last_activity_at <= now - QUIET


def _worded(lines: Sequence[Line], batch: Sequence[_Said]) -> dict[tuple[UUID, int], str]:
    """Return the lines that were found, by message and policy. What is not indexed yet holds nothing so far."""
    if not lines:
        return {}
    parameters: dict[str, Any] = {
        "ids": [said.id for said in batch],
        "any": " | ".join(f"({line.query})" for line in lines),
        "policies": [line.policy_id for line in lines],
        "lines": [line.text for line in lines],
        "queries": [line.query for line in lines],
    }
    with connection.cursor() as cursor:
        cursor.execute(_KEYWORDS, parameters)
        return {(message_id, policy_id): text for message_id, policy_id, text in cursor.fetchall()}


def _in_ratings(policies: Sequence[ReviewPolicy], since: datetime.datetime, until: datetime.datetime) -> list[Occasion]:
    rows = Feedback.objects.filter(
        rating=Feedback.Rating.DOWN, updated_at__gte=since, updated_at__lt=until
    ).values_list(
        "message_id",
        "message__conversation_id",
        "updated_at",
        Coalesce("message__assistant_id", "message__conversation__assistant_id"),
    )
    return [
        Occasion(policy.pk, conversation_id, message_id, rated_at)
        for message_id, conversation_id, rated_at, assistant_id in rows
        for policy in policies
        if rated_at >= policy.created_at and policy.assistant_id in (None, assistant_id)
    ]


def _in_calls(
    policies: Sequence[ReviewPolicy], since: datetime.datetime, until: datetime.datetime
) -> Iterator[list[Occasion]]:
    calls = Generation.objects.filter(pk__gte=first_id_of(since), pk__lt=first_id_of(until), conversation__isnull=False)
    latest = dict(calls.order_by().values_list("conversation_id").annotate(Max("created_at")))
    least = min(policy.cost or Decimal(0) for policy in policies)
    for ids in batched(latest, BATCH):
        sums = (
            Conversation.objects.filter(pk__in=ids)
            .annotate(total=Sum("generations__cost"))
            .filter(total__gte=least)
            .values_list("pk", "assistant_id", "total")
        )
        yield [
            Occasion(policy.pk, conversation_id, None, latest[conversation_id], cost=total)
            for conversation_id, assistant_id, total in sums
            for policy in policies
            if total >= (policy.cost or 0)
            and latest[conversation_id] >= policy.created_at
            and policy.assistant_id in (None, assistant_id)
        ]
