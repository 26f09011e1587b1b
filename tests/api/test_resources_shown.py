"""How rows are written as JSON."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from conversations.api.serializers import (
    CONVERSATION_ROWS,
    MESSAGE_ROWS,
    ConversationSerializer,
    MessageSerializer,
    show_conversation,
    show_message,
    show_messages,
)
from conversations.llm import ModelError
from conversations.models import Conversation, Generation, Message, MessageChunk
from conversations.services import CallProgress, fail_answer, finish_answer, stop_answer
from tests.factories import make_file
from tests.fakes.folder import FilesFolder
from tests.services.calls import FINISHED, begin, claim

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def folder(settings: Settings, tmp_path: Path) -> FilesFolder:
    return FilesFolder(settings, tmp_path)


def reread(message: Message) -> Message:
    return Message.objects.select_related(*MESSAGE_ROWS).get(pk=message.pk)


def finished() -> Message:
    answer = begin()
    assert finish_answer(plan=claim(answer), finished=FINISHED, text="Hello there.", progress=CallProgress())
    return reread(answer)


def test_an_answer_is_written_whole_with_what_it_cost() -> None:
    answer = finished()
    picture = make_file(answer.owner, message=answer, origin="model")
    shown = show_message(answer)
    assert set(shown) == set(MessageSerializer.names()) - {"activity", "supplied"}
    assert shown | {"created_at": "", "finished_at": ""} == {
        "id": str(answer.pk),
        "conversation": str(answer.conversation_id),
        "parent": str(answer.parent_id),
        "role": "assistant",
        "status": "completed",
        "text": "Hello there.",
        "created_at": "",
        "finished_at": "",
        "error": None,
        "files": [
            {
                "id": str(picture.pk),
                "name": "dot.png",
                "content_type": "image/png",
                "size": picture.size,
                "origin": "model",
                "state": "ready",
            }
        ],
        "usage": {
            "input_tokens": 10,
            "output_tokens": 3,
            "total_tokens": 13,
            "cost": "0.00005500",
            "is_estimated": False,
        },
        "model": "gpt-4o",
        "assistant": answer.conversation.assistant.slug,
    }


def test_a_prompt_has_neither_usage_nor_model() -> None:
    answer = finished()
    assert answer.parent is not None
    shown = show_message(reread(answer.parent))
    assert (shown["role"], shown["status"], shown["text"], shown["parent"]) == ("user", "completed", "Hello", None)
    assert (shown["usage"], shown["model"], shown["assistant"], shown["error"]) == (None, None, None, None)


def test_a_running_answer_shows_what_there_is_so_far_and_what_it_does() -> None:
    answer = begin()
    assert (show_message(reread(answer))["status"], show_message(reread(answer))["text"]) == ("queued", "")
    claim(answer)
    for start, text in ((0, "Hel"), (3, "lo 🌂")):
        MessageChunk.objects.create(message=answer, start=start, text=text)
    Message.objects.filter(pk=answer.pk).update(activity="Searching")
    shown = show_message(reread(answer))
    assert (shown["status"], shown["text"], shown["activity"]) == ("streaming", "Hello 🌂", "Searching")
    assert (shown["usage"], shown["finished_at"]) == (None, None)


def test_a_failed_answer_says_why() -> None:
    answer = begin()
    fail_answer(plan=claim(answer), error=ModelError("provider_down", "HTTP 500"), text="", progress=CallProgress())
    error = show_message(reread(answer))["error"]
    assert error["code"] == "provider_down"
    assert error["message"]


def test_a_price_that_is_unknown_is_null_and_a_local_model_is_free() -> None:
    answer = finished()
    Generation.objects.filter(message=answer).update(cost=None, price=None)
    assert show_message(answer)["usage"]["cost"] is None
    answer.generations.get().model.__class__.objects.update(is_local=True)
    assert show_message(answer)["usage"]["cost"] == "0"


def test_what_a_stopped_answer_used_is_an_estimate() -> None:
    answer = begin()
    claim(answer)
    stop_answer(message=answer)
    shown = show_message(reread(answer))
    assert shown["status"] == "stopped"
    assert shown["usage"] is None or shown["usage"]["is_estimated"]


def test_times_are_in_utc_wherever_the_site_is() -> None:
    answer = finished()
    Message.objects.filter(pk=answer.pk).update(created_at=datetime.datetime(2026, 3, 1, 12, tzinfo=datetime.UTC))
    with timezone.override("Asia/Kathmandu"):
        assert show_message(reread(answer))["created_at"] == "2026-03-01T12:00:00Z"


def test_only_what_is_asked_for_is_written_and_looked_up() -> None:
    answer = finished()
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert show_message(answer, only=["id", "status"]) == {"id": str(answer.pk), "status": "completed"}
    assert len(queries) == 0


def test_many_messages_take_as_many_queries_as_one() -> None:
    answer = finished()
    messages = list(answer.conversation.messages.select_related(*MESSAGE_ROWS))
    for _ in range(3):
        messages.append(finished())
    running = begin()
    claim(running)
    with CaptureQueriesContext(connection) as queries:
        shown = show_messages([*messages, reread(running)])
    assert [one["id"] for one in shown] == [str(message.pk) for message in [*messages, running]]
    assert len(queries) - 1 == 3  # and the running one read anew


def test_a_conversation_is_written_without_a_query() -> None:
    answer = finished()
    conversation = Conversation.objects.select_related(*CONVERSATION_ROWS).get(pk=answer.conversation_id)
    with CaptureQueriesContext(connection) as queries:
        shown = show_conversation(conversation)
    assert len(queries) == 0
    assert set(shown) == set(ConversationSerializer.names()) - {"match"}
    assert (shown["state"], shown["model"], shown["document"], shown["pinned"]) == ("open", None, None, False)
    assert shown["last_message"] == str(answer.pk)
