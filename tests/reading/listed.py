"""Conversations that differ in what the list is narrowed by, and what the list shows of them."""

from __future__ import annotations

import datetime
import re
from html import unescape
from typing import Any

from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from conversations.models import Conversation, Feedback, Generation, Message
from records.models import Review
from records.services.facts import keep_facts
from tests.admin.record import make_answer, make_conversation, make_prompt, make_thread
from tests.factories import make_file, make_model, make_user

LIST = "admin:conversations_conversation_changelist"


def listed(client: Client, **given: Any) -> list[Conversation]:
    keep_facts()
    response = client.get(reverse(LIST), given)
    assert response.status_code == 200, response.content.decode()[:300]
    rows: list[Conversation] = response.context["cl"].result_list
    return rows


def problems(client: Client, **given: Any) -> str:
    """What the page says is wrong, where it lists nothing."""
    response = client.get(reverse(LIST), given)
    assert response.status_code == 422
    assert response.context["cl"].result_list == []
    told = re.findall(r'<p class="filter-problem"[^>]*>(.*?)</p>', response.content.decode(), re.DOTALL)
    return unescape(" ".join(told))


def answer_of(conversation: Conversation) -> Message:
    return conversation.messages.filter(role="assistant").order_by("id")[0]


def grouped() -> Conversation:
    conversation = make_thread()
    group = Group.objects.create(name="Sales")
    group.user_set.add(conversation.owner)
    return conversation


def answered_by(name: str) -> Conversation:
    conversation = make_thread()
    Generation.objects.filter(conversation=conversation).update(model=make_model(name))
    return conversation


def ended(status: str) -> Conversation:
    conversation = make_conversation()
    make_answer(make_prompt(conversation), status=status)
    return conversation


def rated(rating: str) -> Conversation:
    conversation = make_thread()
    Feedback.objects.create(message=answer_of(conversation), user=conversation.owner, rating=rating)
    return conversation


def with_file() -> Conversation:
    conversation = make_thread()
    make_file(conversation.owner, message=answer_of(conversation), data=None)
    return conversation


def reviewed(state: str, verdict: str = "") -> Conversation:
    conversation, now = make_thread(), timezone.now()
    claimed = {} if state == "waiting" else {"claimed_by": make_user(), "claimed_at": now}
    decided = {"verdict": verdict, "decided_at": now} if verdict else {}
    Review.objects.create(conversation=conversation, state=state, **claimed, **decided)
    return conversation


def used(**values: object) -> Conversation:
    conversation = make_thread()
    Generation.objects.filter(conversation=conversation).update(**values)
    return conversation


def changed(**values: object) -> Conversation:
    conversation = make_thread()
    Conversation.objects.filter(pk=conversation.pk).update(**values)
    return conversation


def last_active(day: str) -> Conversation:
    return changed(last_activity_at=datetime.datetime.fromisoformat(f"{day}T12:00:00+00:00"))
