"""Use for tests: turns at any time, and what they amount to, counted row by row in Python."""

from __future__ import annotations

import datetime
import io
from collections import Counter, defaultdict
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.core.management import call_command
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from conversations.models import Assistant, Conversation, Feedback, Generation, LanguageModel, Message
from records.models import MEASURES, RetentionRun, Tombstone, UsageFact, UsageSum
from records.services.usage_facts import keep_removed
from tests.factories import make_assistant, make_model, make_user
from tests.services.calls import sql

type Key = tuple[datetime.date, int, int, int]
type Sums = dict[Key, dict[str, Decimal]]

UP_TO = {"250ms": 250, "500ms": 500, "1s": 1000, "2s": 2000, "4s": 4000, "8s": 8000, "16s": 16000, "32s": 32000}
RUNNING = ("queued", "streaming")


def moment(day: str, clock: str = "12:00") -> datetime.datetime:
    """Return a moment of a day, in UTC."""
    return datetime.datetime.fromisoformat(f"{day}T{clock}+00:00")


def make_conversation_at(
    at: datetime.datetime, *, owner: User | None = None, assistant: Assistant | None = None, **fields: Any
) -> Conversation:
    return Conversation.objects.create(
        owner=owner or make_user(),
        assistant=assistant or make_assistant(),
        title="Something",
        created_at=at,
        last_activity_at=at,
        **fields,
    )


def make_turn(
    conversation: Conversation,
    at: datetime.datetime,
    *,
    status: str = "completed",
    waited_ms: int | None = 700,
    model: LanguageModel | None = None,
    call: dict[str, Any] | None = None,
    **fields: Any,
) -> Message:
    """A prompt at a moment, and its answer by the conversation's assistant, with its call unless that is not wanted."""
    said = {"conversation": conversation, "owner": conversation.owner, "created_at": at}
    prompt = Message.objects.create(role="user", status="completed", text="Why?", **said)
    answer = Message.objects.create(
        **said | {"role": "assistant", "status": status, "parent": prompt, "assistant": conversation.assistant} | fields
    )
    model = model or make_model()
    made = {
        "purpose": "answer",
        "status": "running" if status in RUNNING else status,
        "usage_source": "exact",
        "input_tokens": 100,
        "cached_tokens": 10,
        "output_tokens": 20,
        "reasoning_tokens": 5,
        "cost": Decimal("0.00045"),
        "started_at": at,
        "first_text_at": at + datetime.timedelta(milliseconds=waited_ms) if waited_ms is not None else None,
    }
    Generation.objects.create(
        conversation=conversation, message=answer, model=model, model_asked=model.name, created_at=at,
        **made | (call or {}),
    )  # fmt: skip
    return answer


def rate(answer: Message, rating: str) -> None:
    Feedback.objects.update_or_create(message=answer, user=answer.owner, defaults={"rating": rating})


def used_at(day: str, **fields: Any) -> Conversation:
    """A conversation of one turn at noon of a day."""
    conversation = make_conversation_at(moment(day), **fields)
    make_turn(conversation, moment(day))
    return conversation


def remove(*conversations: Conversation, until: str = "gone") -> None:
    """Remove conversations as retention does: tombstones and sums in one transaction, the rows afterwards."""
    run = RetentionRun.objects.create(kind="policies", state="done")
    ids = [conversation.pk for conversation in conversations]
    with transaction.atomic():
        Tombstone.objects.bulk_create(
            Tombstone(
                conversation_id=conversation.pk, run=run, owner_id=conversation.owner_id,
                assistant_id=conversation.assistant_id, created_at=conversation.created_at,
                last_activity_at=conversation.last_activity_at, messages=0, generations=0, attachments=0,
                attachment_bytes=0, input_tokens=0, output_tokens=0, cost=0, unpriced_calls=0,
            )
            for conversation in conversations
        )  # fmt: skip
        keep_removed(conversation_ids=ids)
    if until == "gone":
        delete_rows(ids)


def delete_rows(ids: list[UUID]) -> None:
    listed = "{" + ",".join(map(str, ids)) + "}"
    said = "SELECT id FROM conversations_message WHERE conversation_id = ANY(%s::uuid[])"
    sql(f"DELETE FROM conversations_feedback WHERE message_id IN ({said})", listed)
    sql(f"DELETE FROM conversations_attachment WHERE message_id IN ({said})", listed)
    sql("DELETE FROM records_conversationfact WHERE conversation_id = ANY(%s::uuid[])", listed)
    sql("DELETE FROM conversations_generation WHERE conversation_id = ANY(%s::uuid[])", listed)
    sql("UPDATE conversations_conversation SET current_leaf_id = NULL WHERE id = ANY(%s::uuid[])", listed)
    sql("DELETE FROM conversations_message WHERE conversation_id = ANY(%s::uuid[])", listed)
    sql("DELETE FROM conversations_conversation WHERE id = ANY(%s::uuid[])", listed)


def rebuild() -> str:
    """Reckon all days anew, and return what is told of it."""
    told = io.StringIO()
    call_command("rebuild_usage", stdout=told)
    return told.getvalue()


def kept() -> Sums:
    """What the sums by day say, removed or not."""
    sums: dict[Key, Counter[str]] = defaultdict(Counter)
    for row in UsageFact.objects.all():
        sums[row.day, row.owner_id, row.assistant_id, row.model_id].update(
            {name: getattr(row, name) for name in MEASURES}
        )
    return _plain(sums)


def kept_by(period: str, kind: str = "each") -> Sums:
    """What the sums by month or year say."""
    rows = UsageSum.objects.filter(period=period, kind=kind)
    return _plain(
        {
            (row.start, row.owner_id, row.assistant_id, row.model_id): {name: getattr(row, name) for name in MEASURES}
            for row in rows
        }
    )


def without(days: Sums, kind: str) -> Sums:
    """The same, with what a kind of sums does not tell apart added up."""
    sums: dict[Key, Counter[str]] = defaultdict(Counter)
    for (day, owner, assistant, model), values in days.items():
        service = (0, 0) if kind == "person" else (assistant, model)
        sums[day, 0 if kind == "service" else owner, *service].update(values)
    return _plain(sums)


def assert_adds_up(expected: Sums) -> None:
    """The sums by day are these, and those by month and year, of every kind, are the same added up."""
    assert kept() == expected
    for period in UsageSum.Period.values:
        for kind in UsageSum.Kind.values:
            assert kept_by(period, kind) == added_up(without(expected, kind), period), (period, kind)


def added_up(days: Sums, period: str) -> Sums:
    """The days of months or years together."""
    sums: dict[Key, Counter[str]] = defaultdict(Counter)
    for (day, owner, assistant, model), values in days.items():
        start = day.replace(day=1) if period == "month" else day.replace(month=1, day=1)
        sums[start, owner, assistant, model].update(values)
    return _plain(sums)


def total(sums: Sums) -> dict[str, Decimal]:
    """All of it together, without what is 0."""
    counted: Counter[str] = Counter()
    for values in sums.values():
        counted.update(values)
    return {name: Decimal(value) for name, value in counted.items() if value}


def counted(*conversations: Conversation) -> Sums:
    """What conversations amount to, from their rows; without any, what all of the record does."""
    sums: dict[Key, Counter[str]] = defaultdict(Counter)
    rows = Conversation.objects.all()
    for conversation in rows.filter(pk__in=[each.pk for each in conversations]) if conversations else rows:
        _count(conversation, sums)
    return _plain(sums)


def _count(conversation: Conversation, sums: dict[Key, Counter[str]]) -> None:
    messages = list(conversation.messages.order_by("id").defer(None))
    calls = list(conversation.generations.select_related("model").order_by("id"))
    answers = [message for message in messages if message.role == "assistant"]

    def key(at: datetime.datetime, assistant_id: int | None, model_id: int) -> Key:
        return timezone.localdate(at), conversation.owner_id, assistant_id or conversation.assistant_id, model_id

    def first_model(answer: Message | None) -> int:
        made = [call.model_id for call in calls if answer is not None and call.message_id == answer.pk]
        return made[0] if made else 0

    begun = timezone.localdate(conversation.created_at)
    early = [c.model_id for c in calls if c.purpose == "answer" and timezone.localdate(c.created_at) == begun]
    first = answers[0].assistant_id if answers else None
    sums[key(conversation.created_at, first, early[0] if early else 0)]["conversations"] += 1
    for message in messages:
        if message.copy_of_id is not None or message.is_supplied:
            continue
        if message.role == "user":
            reply = next((answer for answer in answers if answer.parent_id == message.pk), None)
            asked = key(message.created_at, reply.assistant_id if reply else None, first_model(reply))
            sums[asked]["prompts"] += 1
        elif message.status not in RUNNING:
            sums[key(message.created_at, message.assistant_id, first_model(message))].update(_of_answer(message, calls))
    for call in calls:
        if call.status in ("pending", "running") or not Generation.has_used(
            call.status, call.started_at, call.output_tokens
        ):
            continue
        assert call.started_at is not None
        answer = next((answer for answer in answers if answer.pk == call.message_id), None)
        who = answer.assistant_id if answer else first
        sums[key(call.started_at, who, call.model_id)].update(_of_call(call))


def _of_answer(answer: Message, calls: list[Generation]) -> Counter[str]:
    counted: Counter[str] = Counter(answers=1)
    names = {"failed": "failed", "interrupted": "failed", "refused": "refused", "stopped": "stopped"}
    if answer.status in names:
        counted[names[answer.status]] += 1
    counted["cut_off"] = int(answer.status == "incomplete")
    own = [call for call in calls if call.message_id == answer.pk]
    began = [call.started_at for call in own if call.started_at]
    spoke = [call.first_text_at for call in own if call.first_text_at]
    if began and spoke:
        waited = max(round((min(spoke) - min(began)).total_seconds() * 1000), 0)
        place = next((name for name, limit in UP_TO.items() if waited <= limit), "longer")
        counted.update({"first_texts": 1, "first_text_ms": waited, f"first_text_{place}": 1})
    for rating in Feedback.objects.filter(message=answer):
        counted[f"thumbs_{rating.rating}"] += 1
    return counted


def _of_call(call: Generation) -> Counter[str]:
    tokens = ("input_tokens", "cached_tokens", "output_tokens", "reasoning_tokens", "cost")
    return Counter(
        {
            "calls": 1,
            "estimated_calls": int(call.usage_source != "exact"),
            "unpriced_calls": int(call.cost is None and not call.model.is_local),
        }
        | {name: getattr(call, name) or 0 for name in tokens}
    )


def _plain(sums: Any) -> Sums:
    plain = {
        key: {name: Decimal(value) for name, value in sorted(values.items()) if value} for key, values in sums.items()
    }
    return {key: values for key, values in plain.items() if values}
