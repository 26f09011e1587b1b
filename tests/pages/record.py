"""Rows of the record as the worker would leave them, and a look at what pages show of them."""

import datetime
import re
from typing import Any, Protocol
from uuid import uuid4

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from conversations.models import Conversation, Generation, Message


class Shown(Protocol):
    """A response of Django's test client."""

    @property
    def content(self) -> bytes: ...


HTMX = {"HX-Request": "true"}


def end(answer: Message, *, status: str = "completed", text: str = "", call: dict[str, Any] | None = None) -> None:
    """Let `answer` have ended; `call` sets columns of its model call."""
    answer.status, answer.text, answer.finished_at = status, text, timezone.now()
    answer.save()
    began = timezone.now() - datetime.timedelta(seconds=3)
    columns = {
        "status": status,
        "started_at": began,
        "first_text_at": began + datetime.timedelta(milliseconds=400),
        "finished_at": timezone.now(),
        "model_answered": "gpt-4o-2024-11-20",
        "input_tokens": 1200,
        "cached_tokens": 0,
        "output_tokens": 34,
        "usage_source": "exact",
        "cost": "0.00334",
    }
    Generation.objects.filter(message=answer).update(**columns | (call or {}))


def add_turns(conversation: Conversation, count: int) -> None:
    """Add prompts with finished answers to the end of the path."""
    conversation.refresh_from_db()
    call = Generation.objects.filter(conversation=conversation, purpose="answer").latest("id")
    for number in range(count):
        said = Message.objects.create(
            conversation=conversation,
            owner=conversation.owner,
            parent=conversation.current_leaf,
            role="user",
            status="completed",
            text=f"Question {number}",
            client_token=uuid4(),
        )
        answer = Message.objects.create(
            conversation=conversation,
            owner=conversation.owner,
            parent=said,
            role="assistant",
            status="completed",
            text=f"Answer {number}",
        )
        Generation.objects.create(
            purpose="answer", conversation=conversation, message=answer, model=call.model, model_asked="gpt-4o"
        )
        conversation.current_leaf = answer
    conversation.save()


def prompt_box(response: Shown) -> str:
    """Return the markup of what the message box holds."""
    found = re.search(r'<textarea id="prompt".*?>\n?(.*?)</textarea>', response.content.decode(), re.DOTALL)
    assert found, "there is no message box"
    return found[1]


def client_token(response: Shown) -> str:
    """Return the token of the composer."""
    found = re.search(r'name="client_token" value="(.+?)"', response.content.decode())
    assert found, "there is no composer"
    return found[1]


def text_of(response: Shown) -> str:
    """Return the words of a page, tags and blanks taken away."""
    return " ".join(re.sub(r"<[^>]*>", " ", response.content.decode()).split())


def queries(page: Client, address: str) -> int:
    """Return how many queries a page takes."""
    with CaptureQueriesContext(connection) as captured:
        assert page.get(address).status_code == 200
    return len(captured)
