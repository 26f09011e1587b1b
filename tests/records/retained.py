"""Conversations of some age, policies, and what is left where a conversation was removed."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.db import connection
from django.utils import timezone

from conversations.files import storage
from conversations.models import (
    Attachment,
    AttachmentText,
    Conversation,
    Feedback,
    Message,
)
from records.models import (
    RetentionPolicy,
    RetentionRun,
    Review,
    ReviewLabel,
    ReviewReason,
    Tombstone,
)
from records.services import facts
from records.services.retention import begin_run
from records.services.runs import carry_out
from tests.factories import make_user
from tests.records.reviews import make_policy as make_review_policy
from tests.services.concluded import make_answered, make_sealed

SECRET = "marzipan-7711"


def make_policy(days: int = 30, basis: str = "activity", **fields: Any) -> RetentionPolicy:
    """A policy that removes conversations."""
    fields = {"name": f"After {days} days {timezone.now():%f}", "is_enabled": True} | fields
    return RetentionPolicy.objects.create(days=days, basis=basis, **fields)


def make_old(days: float = 100, *, is_sealed: bool = False, **fields: Any) -> Conversation:
    """A conversation of a prompt with a file, and an answer, in which nothing was said for so many days."""
    conversation = make_sealed(SECRET).conversation if is_sealed else make_answered(SECRET)
    return age(conversation, days, **fields)


def age(conversation: Conversation, days: float, **fields: Any) -> Conversation:
    """Let everything in a conversation be older by so many days."""
    by = datetime.timedelta(days=days)
    conversation.created_at -= by
    conversation.last_activity_at -= by
    if conversation.concluded_at:
        conversation.concluded_at -= by
    for name, value in fields.items():
        setattr(conversation, name, value)
    conversation.save()
    return conversation


def make_whole(days: float = 100) -> Conversation:
    """A sealed conversation with a row in every table that can hold something of it, each with the secret in it."""
    conversation = make_old(days, is_sealed=True, title=SECRET)
    answer = conversation.messages.get(role="assistant")
    Message.objects.filter(pk=answer.pk).update(text=SECRET)
    for file in Attachment.objects.filter(message__conversation=conversation):
        AttachmentText.objects.create(attachment=file, text=SECRET)
    Feedback.objects.create(message=answer, user=conversation.owner, rating="down", reason=SECRET)
    review = Review.objects.create(
        conversation=conversation, state="done", verdict="fine", note=SECRET, claimed_by=make_user(),
        claimed_at=timezone.now(), decided_at=timezone.now(),
    )  # fmt: skip
    review.labels.add(ReviewLabel.objects.create(name="Odd"))
    ReviewReason.objects.create(
        review=review, policy=make_review_policy("feedback"), message_id=answer.pk, at=timezone.now(), words=SECRET
    )
    facts.keep_facts()
    conversation.refresh_from_db()
    return conversation


def run_policies() -> RetentionRun:
    """Carry the policies out to their end."""
    run = begin_run()
    assert run is not None
    assert carry_out(run_id=run.pk)
    run.refresh_from_db()
    return run


def where_it_says(words: str) -> list[str]:
    """Return the tables that hold some words or an id in any column of any row."""
    return sorted(table for table in _tables() if _holds(table, words))


def objects() -> set[str]:
    """The keys of all objects in storage."""
    return {found.key for found in storage.list_keys()}


def named_objects() -> set[str]:
    """The keys that rows name."""
    tables = [model for model in apps.get_models() if {"bucket", "key"} <= {f.name for f in model._meta.local_fields}]
    return {key for model in tables for key in model._default_manager.values_list("key", flat=True)}


def is_whole(conversation: Conversation) -> bool:
    """Tell whether everything of a conversation is there, in the tables and in storage."""
    files = Attachment.objects.filter(message__conversation=conversation, state="ready")
    return (
        Conversation.objects.filter(pk=conversation.pk).exists()
        and not Tombstone.objects.filter(pk=conversation.pk).exists()
        and conversation.messages.count() == 2
        and all(storage.size_of(file.key) == file.size for file in files)
    )


def _tables() -> Iterator[str]:
    with connection.cursor() as cursor:
        yield from connection.introspection.table_names(cursor)


def _holds(table: str, words: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT EXISTS (SELECT FROM "{table}" AS t WHERE t::text LIKE %s)', [f"%{words}%"])
        return bool(cursor.fetchone() == (True,))
