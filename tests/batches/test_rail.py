"""Conversations that batches began leave the rail to what people say themselves."""

from __future__ import annotations

import json

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.models import User
from batches.models import Batch
from conversations.history import Filters, list_conversations, read_rail
from conversations.history.rail import others_in_rail
from conversations.ids import uuid7
from conversations.models import Assistant, Conversation, Message
from conversations.services import retry_answer, send_message, start_conversation
from tests.batches.given import go_through, make
from tests.pages.rail import LIST, add, shown
from tests.pages.record import end

pytestmark = pytest.mark.django_db


def in_rail(owner: User) -> list[str]:
    return [entry.title for day in read_rail(owner).days for entry in day.entries]


def begun_by(batch: Batch) -> list[Conversation]:
    return list(Conversation.objects.filter(title__startswith=batch.name).order_by("pk"))


@pytest.fixture
def batch(owner: User, assistant: Assistant) -> Batch:
    batch = make(owner, assistant, 3)
    go_through(batch)
    return batch


def test_they_are_in_lists_and_not_in_the_rail(client: Client, owner: User, assistant: Assistant, batch: Batch) -> None:
    start_conversation(owner=owner, assistant=assistant, prompt="By myself", client_token=uuid7())
    assert in_rail(owner) == ["By myself"]
    client.force_login(owner)
    assert shown(client.get(LIST)) == ["By myself"]
    assert len(list_conversations(owner, Filters()).conversations) == 4
    assert len(client.get("/api/v1/conversations/").json()["results"]) == 4
    assert client.get(f"/conversations/{begun_by(batch)[0].pk}/").status_code == 200


def test_one_that_was_looked_at_or_pinned_is_in_the_rail(client: Client, owner: User, batch: Batch) -> None:
    first, second, _ = begun_by(batch)
    client.force_login(owner)
    client.post(f"/conversations/{first.pk}/seen/", {"last": str(first.current_leaf_id)})
    assert in_rail(owner) == [first.title]
    Conversation.objects.filter(pk=second.pk).update(pinned_at=timezone.now())
    assert [entry.title for entry in read_rail(owner).pinned] == [second.title]


def test_one_in_which_its_owner_says_more_is_in_the_rail(owner: User, batch: Batch) -> None:
    first, second, _ = begun_by(batch)
    send_message(owner=owner, conversation_id=first.pk, prompt="And in short?", client_token=uuid7())
    answer = Message.objects.get(conversation=second, role="assistant")
    Message.objects.filter(pk=answer.pk).update(status="failed")
    answer.refresh_from_db()
    end(retry_answer(message=answer), status="completed", text="As batches ask again")
    assert in_rail(owner) == [first.title]


def test_the_rail_reads_none_of_thousands_that_a_batch_began(owner: User, assistant: Assistant) -> None:
    add(owner, assistant, 3_000, is_batched=True)
    add(owner, assistant, 1_000, hours=4_000)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE conversations_conversation")
    plan = json.loads(others_in_rail(owner)[:51].explain(format="json", analyze=True))[0]["Plan"]
    scan = plan["Plans"][0]
    assert scan["Index Name"] == "conversation_rail"
    assert scan.get("Rows Removed by Filter", 0) == 0
