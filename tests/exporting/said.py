"""Conversations with branches, calls, files and ratings, as they stand on record."""

from __future__ import annotations

import csv
import datetime
import io
import json
import zipfile
from itertools import pairwise
from typing import Any

from django.utils import timezone

from accounts.models import User
from conversations.exporting import FORMATS, Chosen, choose
from conversations.models import Assistant, Conversation, Feedback, Generation, Message
from tests.factories import make_assistant, make_file, make_model

BEGAN = datetime.datetime(2026, 3, 1, 10, 0, tzinfo=datetime.UTC)


def make_conversation(owner: User, title: str = "On record", **fields: Any) -> Conversation:
    fields = {"assistant": Assistant.objects.filter(slug="archivist").first() or make_archivist()} | fields
    return Conversation.objects.create(owner=owner, title=title, created_at=BEGAN, last_activity_at=BEGAN, **fields)


def make_archivist() -> Assistant:
    make_model()
    return make_assistant(slug="archivist", name="Archivist")


def say(conversation: Conversation, text: str, *, parent: Message | None = None, **fields: Any) -> Message:
    """Add a prompt, or an answer where `role` says so, and let the shown path end with it."""
    message = Message.objects.create(
        conversation=conversation,
        owner=conversation.owner,
        parent=parent,
        text=text,
        **{"role": "user", "status": "completed", "created_at": BEGAN} | fields,
    )
    conversation.current_leaf = message
    conversation.save()
    return message


def answer(prompt: Message, text: str, *, call: dict[str, Any] | None = None, **fields: Any) -> Message:
    """Add an answer with its model call, as a worker leaves both."""
    conversation = prompt.conversation
    message = say(conversation, text, parent=prompt, role="assistant", finished_at=BEGAN, **fields)
    columns = {
        "status": message.status,
        "started_at": BEGAN,
        "first_text_at": BEGAN + datetime.timedelta(milliseconds=420),
        "finished_at": BEGAN + datetime.timedelta(seconds=2),
        "model_answered": "gpt-4o-2024-11-20",
        "input_tokens": 1200,
        "cached_tokens": 200,
        "output_tokens": 34,
        "reasoning_tokens": 0,
        "usage_source": "exact",
        "cost": "0.00334000",
    }
    Generation.objects.create(
        purpose="answer",
        conversation=conversation,
        message=message,
        **{"model": make_model(), "model_asked": "gpt-4o"} | columns | (call or {}),
    )
    return message


def branched(owner: User) -> Conversation:
    """One whose first answer was tried twice and whose second prompt was edited; with a file and a rating."""
    conversation = make_conversation(owner, "Two ways to say it")
    first = say(conversation, "What is on record?")
    answer(first, "Nothing.")
    better = answer(first, "Everything that was **said**.")
    Feedback.objects.create(message=better, user=owner, rating="up", reason="It is right")
    make_file(owner, message=first, data=b"a,b\n1,2\n", name="sums.csv", content_type="text/csv")
    old = say(conversation, "And therefore?", parent=better)
    answer(old, "Therefore nothing.")
    new = say(conversation, "And so what follows?", parent=better)
    answer(new, "That it can be proven.", status="incomplete", call={"finish_reason": "max_output_tokens"})
    return conversation


def exported(person: User, form: str, *conversations: Conversation) -> bytes:
    """Return an export of these conversations, or of all."""
    return b"".join(FORMATS[form].pieces(chosen(person, *conversations)))


def add_many(conversation: Conversation, count: int, text: str = "Said") -> None:
    """Add prompts, each after the last, in one statement."""
    messages = [
        Message(conversation=conversation, owner=conversation.owner, role="user", status="completed", text=text)
        for _ in range(count)
    ]
    for before, after in pairwise(messages):
        after.parent_id = before.pk  # by id: a chain of a thousand objects is too deep to be freed
    Message.objects.bulk_create(messages)
    conversation.current_leaf = messages[-1]
    conversation.save()


def chosen(person: User, *conversations: Conversation) -> Chosen:
    return choose(person=person, ids=[conversation.pk for conversation in conversations] or None)


def table(data: bytes) -> list[dict[str, str]]:
    csv.field_size_limit(10_000_000)
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def lines(data: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in data.decode().split("\n")[:-1]]


def unpacked(data: bytes) -> tuple[dict[str, bytes], dict[str, Any]]:
    """Return the entries of an archive, each proven by its checksum, and its manifest."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        entries = {name: archive.read(name) for name in archive.namelist()}
        assert len(entries) == len(archive.namelist())
    return entries, json.loads(entries["manifest.json"])


def hide(conversation: Conversation) -> None:
    Conversation.objects.filter(pk=conversation.pk).update(hidden_at=timezone.now())
