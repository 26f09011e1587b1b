"""Conversations to conclude, and what is left of them in storage."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.utils import timezone

from conversations.files import storage
from conversations.models import Conversation, Generation, Message, SealedDocument
from conversations.services import CallProgress, conclude_conversation, finish_answer, seal_conversation, send_message
from tests.factories import make_assistant, make_file, make_model, make_user, token
from tests.services.calls import FINISHED, begin, claim, sql


def answer_it(answer: Message) -> Message:
    """Write an answer as a worker does."""
    assert finish_answer(plan=claim(answer), finished=FINISHED, text="Hello there.", progress=CallProgress("resp_1"))
    answer.refresh_from_db()
    return answer


def make_answered(prompt: str = "Hello", *, turns: int = 1) -> Conversation:
    """A conversation of some turns whose title has been found, with a file that the person sent."""
    answer = answer_it(begin(prompt))
    conversation = answer.conversation
    assert answer.parent is not None
    make_file(answer.owner, message=answer.parent)
    for number in range(2, turns + 1):
        sent = send_message(
            owner=conversation.owner,
            conversation_id=conversation.pk,
            prompt=f"{prompt} {number}",
            client_token=token(),
        )
        answer_it(sent)
    conversation.generations.filter(purpose="title").update(status="stopped")
    conversation.refresh_from_db()
    return conversation


def make_concluded(prompt: str = "Hello", *, turns: int = 1) -> Conversation:
    return conclude_conversation(conversation=make_answered(prompt, turns=turns))


def make_sealed(prompt: str = "Hello", *, turns: int = 1) -> SealedDocument:
    conversation = make_concluded(prompt, turns=turns)
    assert seal_conversation(conversation_id=conversation.pk)
    return SealedDocument.objects.get(conversation=conversation)


def stored(sealed: SealedDocument) -> dict[str, Any]:
    """The document as storage holds it, with the hash that is on record."""
    content = storage.read(sealed.key)
    assert (len(content), hashlib.sha256(content).hexdigest()) == (sealed.size, sealed.sha256)
    document: dict[str, Any] = json.loads(content)
    return document


_LONG = """
INSERT INTO conversations_message
    (id, conversation_id, owner_id, parent_id, role, status, text, activity, attempt, error_code, error_text,
    created_at)
SELECT place.id, conversation.id, conversation.owner_id, lag(place.id) OVER (ORDER BY n),
    CASE n %% 2 WHEN 1 THEN 'user' ELSE 'assistant' END, 'completed', n || repeat(' What was said, at length.', 40),
    '', 0, '', '', now()
FROM conversations_conversation AS conversation, generate_series(1, %s) AS n,
    LATERAL (SELECT ('01990000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid AS id) AS place
WHERE conversation.id = %s
"""


def make_long(messages: int) -> Conversation:
    """A concluded conversation of messages of 1,000 characters, each answer with its call; nothing of it is a job."""
    model = make_model()
    conversation = Conversation.objects.create(owner=make_user(), assistant=make_assistant(), title="Long")
    sql(_LONG, messages, str(conversation.pk))
    answers = conversation.messages.filter(role="assistant").values_list("pk", flat=True)
    calls = [
        Generation(
            purpose="answer",
            conversation=conversation,
            message_id=answer,
            model=model,
            model_asked="gpt-4o",
            status="completed",
            instructions="Answer briefly.",
        )
        for answer in answers
    ]
    Generation.objects.bulk_create(calls, batch_size=2000)
    conversation.current_leaf = conversation.messages.order_by("id").last()
    conversation.state, conversation.concluded_at = Conversation.State.CONCLUDED, timezone.now()
    conversation.concluded_by = Conversation.ConcludedBy.POLICY
    conversation.save()
    return conversation


_PEAK = Path("/proc/self/clear_refs")


@contextmanager
def bounded(*, megabytes: int) -> Iterator[None]:
    """What is done within makes this process grow by no more at any moment. Only Linux tells."""
    if not _PEAK.exists():
        yield
        return
    before = _resident("VmRSS")
    _PEAK.write_text("5")  # begins the peak anew
    yield
    grown = _resident("VmHWM") - before
    assert grown < megabytes, f"it grew by {grown} MB"


def _resident(name: str) -> int:
    found = re.search(rf"{name}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found
    return int(found[1]) // 1024
