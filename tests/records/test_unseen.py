"""From the tombstone on nobody sees a conversation, however long its objects and rows take to go."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from accounts.models import User
from conversations.models import (
    Attachment,
    Conversation,
    Feedback,
    Generation,
    Message,
    SealedDocument,
)
from conversations.services import (
    Refused,
    continue_conversation,
    hide_conversation,
    index_messages,
    rename_conversation,
    restore_conversation,
    send_message,
)
from records.models import RetentionRun, Review
from records.services.due import Standing
from records.services.removing import begin_removal, finish_removal, remove_objects
from records.services.retention import begin_run
from tests.factories import token
from tests.fakes.folder import FilesFolder
from tests.records.retained import SECRET, make_policy, make_whole
from tests.sitting import SittingClient

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def folder(settings: Settings, tmp_path: Path) -> FilesFolder:
    return FilesFolder(settings, tmp_path)


@pytest.fixture
def begun() -> Conversation:
    """A conversation with something in every table, whose removal has begun and no more."""
    conversation = make_whole()
    index_messages()
    make_policy(30)
    run = begin_run()
    assert run is not None
    assert begin_removal(conversation_id=conversation.pk, run=run) is Standing.DUE
    return conversation


def test_its_owner_finds_it_nowhere(client: Client, begun: Conversation) -> None:
    client.force_login(begun.owner)
    message = begun.messages.all()[0]
    pages = [
        reverse("conversations:list"),
        reverse("conversations:find") + f"?q={SECRET}",
        reverse("conversations:deleted"),
        reverse("conversations:rail"),
    ]
    for page in pages:
        response = client.get(page)
        assert response.status_code == 200
        assert f"/{begun.pk}/" not in response.content.decode(), page
    for name, pk in (("detail", begun.pk), ("heading", begun.pk), ("message", message.pk)):
        assert client.get(reverse(f"conversations:{name}", args=[pk])).status_code == 404, name
    for name in ("restore", "pin", "hide", "conclude", "rename", "continue_as_new"):
        assert client.post(reverse(f"conversations:{name}", args=[begun.pk])).status_code == 404, name


def test_no_service_takes_it_up_again(begun: Conversation) -> None:
    deeds = (
        lambda: restore_conversation(conversation=begun),
        lambda: hide_conversation(conversation=begun),
        lambda: continue_conversation(conversation=begun),
        lambda: rename_conversation(conversation=begun, title="Back"),
        lambda: send_message(owner=begun.owner, conversation_id=begun.pk, prompt="Back", client_token=token()),
    )
    for deed in deeds:
        with pytest.raises((Conversation.DoesNotExist, Refused)):
            deed()
    assert Conversation.every.get().removal_begun_at is not None
    assert Message.objects.count() == 2


def test_no_reviewer_finds_it_in_the_back_office(begun: Conversation) -> None:
    client = SittingClient()
    client.force_login(User.objects.create_superuser("root", "root@example.org", "a-fair-password-17"))
    rows = (
        begun, Message.objects.all()[0], Generation.objects.all()[0], Attachment.objects.get(), Feedback.objects.get(),
        SealedDocument.objects.get(), Review.objects.get(),
    )  # fmt: skip
    for row in rows:
        name = f"admin:{row._meta.app_label}_{row._meta.model_name}"
        listed = client.get(reverse(f"{name}_changelist"))
        assert listed.status_code == 200, name
        for words in (SECRET, f"/{begun.pk}/", f"/{row.pk}/"):
            assert words not in listed.content.decode(), name
        shown = client.get(reverse(f"{name}_change", args=[row.pk]))
        assert shown.status_code in (302, 404), name
    for query in ("?standing=done", "?standing=all"):
        page = client.get(reverse("admin:records_review_changelist") + query).content.decode()
        assert str(begun.pk) not in page
    found = client.get(reverse("admin:conversations_conversation_search"), {"q": SECRET})
    assert found.status_code == 200
    assert str(begun.pk) not in found.content.decode()


@pytest.mark.django_db(transaction=True)
def test_its_files_and_its_document_are_handed_to_nobody(begun: Conversation) -> None:
    file, client = Attachment.objects.get(), SittingClient()
    client.force_login(begun.owner)
    for name, pk in (("attachment", file.pk), ("thumbnail", file.pk), ("sealed_document", begun.pk)):
        assert client.get(reverse(f"conversations:{name}", args=[pk])).status_code == 404, name
    assert client.get(reverse("conversations:export", args=[begun.pk]), {"format": "csv"}).status_code == 404
    client.force_login(User.objects.create_superuser("root", "root@example.org", "a-fair-password-17"))
    for name in ("file", "thumbnail"):
        assert client.get(reverse(f"records:{name}", args=[file.pk])).status_code == 404, name


def test_what_goes_on_from_it_says_that_it_was_removed(client: Client) -> None:
    before = make_whole()
    continued = continue_conversation(conversation=before)
    page = reverse("conversations:detail", args=[continued.pk])
    office = reverse("admin:conversations_conversation_change", args=[continued.pk])
    reviewer = SittingClient()
    reviewer.force_login(User.objects.create_superuser("root", "root@example.org", "a-fair-password-17"))
    client.force_login(before.owner)
    link = f'href="{reverse("admin:conversations_conversation_change", args=[before.pk])}"'
    assert link in reviewer.get(office).content.decode()
    make_policy(30)
    run = begin_run()
    assert run is not None
    for deed in (begin_removal, remove_and_finish):
        deed(conversation_id=before.pk, run=run)
        assert "Continues a conversation that was removed." in client.get(page).content.decode()
        shown = reviewer.get(office).content.decode()
        assert f"{before.pk}, which was removed" in shown
        assert link not in shown


def remove_and_finish(*, conversation_id: UUID, run: RetentionRun) -> None:
    remove_objects(conversation_id=conversation_id)
    finish_removal(conversation_id=conversation_id)
    assert run.tombstones.filter(removed_at__isnull=False).exists()
