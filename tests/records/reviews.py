"""Policies, reviews and reviewers for tests."""

from __future__ import annotations

import datetime
from typing import Any

from django.contrib.auth.models import Permission
from django.utils import timezone

from accounts.models import User
from conversations.models import Conversation, Feedback, Message
from records.models import Review, ReviewPolicy
from records.services.queueing import LAG, fill_queue
from tests.admin.record import make_answer, make_conversation, make_prompt
from tests.factories import make_user

A_WHILE = datetime.timedelta(hours=1)


def make_reviewer(**fields: Any) -> User:
    """Staff with the one right to read conversations."""
    person = make_user(is_staff=True, **fields)
    person.user_permissions.add(Permission.objects.get(codename="review_conversation"))
    return person


def make_policy(kind: str, *, since: datetime.timedelta = A_WHILE, **fields: Any) -> ReviewPolicy:
    """A policy that was made a while ago."""
    fields = {"name": f"Policy on {kind}", "created_at": timezone.now() - since} | fields
    return ReviewPolicy.objects.create(kind=kind, **fields)


def make_refused(**fields: Any) -> Conversation:
    """A conversation whose answer the model refused."""
    conversation = make_conversation(**fields)
    refuse(conversation)
    return conversation


def refuse(conversation: Conversation) -> Message:
    """Another refused answer."""
    return make_answer(make_prompt(conversation), status="refused", finished_at=timezone.now())


def rate(answer: Message, rating: str = "down", *, at: datetime.datetime | None = None) -> Feedback:
    """What the owner thinks of an answer, now or at another moment."""
    given, _ = Feedback.objects.update_or_create(
        message=answer, user=answer.owner, defaults={"rating": rating, "updated_at": at or timezone.now()}
    )
    return given


def rest(conversation: Conversation) -> Conversation:
    """Let nothing have been said there for longer than a sample waits, though not for longer than a run looks back."""
    Conversation.objects.filter(pk=conversation.pk).update(last_activity_at=timezone.now() - LAG)
    return conversation


def fill() -> set[Any]:
    """Run the job; return the ids of the conversations whose reviews are open then."""
    fill_queue()
    return set(Review.objects.filter(state__in=Review.OPEN).values_list("conversation_id", flat=True))


def make_review(**fields: Any) -> Review:
    """A waiting review of somebody's conversation."""
    return Review.objects.create(conversation=make_refused(**fields))
