"""Batches, where conversations are removed and people erased: no text stays in them, and nothing keeps a row."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from accounts.models import User
from batches.models import Batch, BatchItem
from batches.results import result_pieces
from batches.services.advancing import begin_next
from conversations.models import Assistant, Conversation
from conversations.services import hide_conversation
from records.services.erasing import ask_erasure
from records.services.runs import carry_out
from tests.batches.given import answer_running, begin_all, go_through, make, statuses
from tests.factories import make_assistant, make_model, make_user
from tests.fakes.folder import FilesFolder
from tests.records.retained import make_policy, run_policies, where_it_says
from tests.sitting import SittingClient

pytestmark = pytest.mark.django_db
MARZIPAN = "marzipan-7712"


@pytest.fixture(autouse=True)
def folder(settings: Settings, tmp_path: Path) -> FilesFolder:
    return FilesFolder(settings, tmp_path)


@pytest.fixture
def assistant(db: None) -> Assistant:
    make_model()
    return make_assistant()


def test_v1_a_conversation_of_a_batch_is_removed_like_any_other(assistant: Assistant) -> None:
    batch = make(make_user(), assistant, 2, name="Letters")
    go_through(batch)
    first = Conversation.objects.earliest("pk")
    long_ago = timezone.now() - datetime.timedelta(days=100)
    Conversation.objects.filter(pk=first.pk).update(created_at=long_ago, last_activity_at=long_ago)
    make_policy(30)
    assert run_policies().counts["conversations"] == 1

    assert Conversation.every.count() == 1
    assert statuses(batch) == ["removed", "completed"]
    item = batch.items.get(number=1)
    assert (item.conversation, item.message, item.prompt) == (None, None, "")
    lines = b"".join(result_pieces(batch)).decode().splitlines()
    assert '"status": "removed", "conversation": null, "message": null, "text": null' in lines[0]
    assert '"status": "completed"' in lines[1]


def test_v1_what_is_removed_while_its_batch_is_under_way_is_asked_no_more(assistant: Assistant) -> None:
    batch = make(make_user(), assistant, 1)
    begin_all()
    answer_running(batch, status="failed", error_code="provider_down")
    assert statuses(batch) == ["waiting"]
    long_ago = timezone.now() - datetime.timedelta(days=100)
    Conversation.objects.update(created_at=long_ago, last_activity_at=long_ago)
    make_policy(30)
    run_policies()
    go_through(batch)
    assert (batch.state, statuses(batch)) == ("done", ["removed"])
    assert not Conversation.every.exists()


@pytest.mark.parametrize("stage", ["waiting", "running", "done"])
def test_v2_nothing_of_an_erased_person_stays_in_batches(assistant: Assistant, stage: str) -> None:
    person, admin = make_user(), make_user(is_staff=True, is_superuser=True)
    batch, other = make(person, assistant, 6, name=MARZIPAN), make(make_user(), assistant, 1)
    BatchItem.objects.filter(batch=batch).update(prompt=MARZIPAN)
    if stage == "running":
        begin_all()
    elif stage == "done":
        go_through(batch)
    run = ask_erasure(person=person, asked_by=admin, reason="Request 12")
    assert carry_out(run_id=run.pk)
    while begin_next():
        pass
    assert list(Batch.objects.all()) == [other]
    assert where_it_says(MARZIPAN) == []
    assert not Conversation.every.filter(owner=person).exists()


def test_v1_what_its_owner_deleted_is_in_no_result(assistant: Assistant) -> None:
    batch = make(make_user(), assistant, 2)
    go_through(batch)
    hide_conversation(conversation=Conversation.objects.earliest("pk"))
    lines = b"".join(result_pieces(batch)).decode().splitlines()
    assert '"status": "removed", "conversation": null, "message": null, "text": null' in lines[0]
    assert '"text": "Answer to ' in lines[1]


def test_a10_reviewers_see_where_batches_stand_and_nothing_that_was_said(assistant: Assistant) -> None:
    client: Client = SittingClient()
    client.force_login(User.objects.create_superuser("root", "root@example.org", "a-fair-password-17"))
    batch = make(make_user(), assistant, 6)
    begin_all()
    page = client.get(reverse("admin:batches_batch_change", args=[batch.pk])).content.decode()
    assert "2 waiting, 4 running" in page
    assert "Prompt" not in page.replace("Prompts", "")
    go_through(batch)
    assert "6 completed" in client.get(reverse("admin:batches_batch_change", args=[batch.pk])).content.decode()
