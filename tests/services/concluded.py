"""Conversations to conclude, and what is left of them in storage."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from conversations.files import storage
from conversations.models import Conversation, Message, SealedDocument
from conversations.services import CallProgress, conclude_conversation, finish_answer, seal_conversation, send_message
from tests.factories import make_file, token
from tests.services.calls import FINISHED, begin, claim


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
