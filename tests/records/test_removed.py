"""What is checked of removed conversations: that each is accounted for, by a tombstone as it was written."""

from __future__ import annotations

import datetime
import io
from pathlib import Path
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import Settings

from conversations.models import Attachment, Conversation, Event, Message, SealedDocument
from conversations.services.reconciling import find_differences
from records.models import RetentionRun, Tombstone
from records.services.due import Standing
from records.services.removing import begin_removal, finish_removal, remove_objects
from records.services.retention import begin_run
from tests.factories import make_assistant, make_user
from tests.fakes.folder import FilesFolder
from tests.records.retained import make_old, make_policy, run_policies

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def folder(settings: Settings, tmp_path: Path) -> FilesFolder:
    return FilesFolder(settings, tmp_path)


def verify(**options: object) -> str:
    out = io.StringIO()
    try:
        call_command("verify_record", stdout=out, **options)
    except CommandError as error:
        return out.getvalue() + str(error)
    return out.getvalue()


def begin(conversation: Conversation) -> RetentionRun:
    make_policy(30)
    run = begin_run()
    assert run is not None
    assert begin_removal(conversation_id=conversation.pk, run=run) is Standing.DUE
    return run


def test_removals_that_went_as_they_should_are_no_finding() -> None:
    conversation = make_old(is_sealed=True)
    make_policy(30)
    run_policies()
    assert verify() == (
        "Looked at 0 sealed documents, 0 files, 1 tombstone and 2 audit events (0 anchors): all are as they were.\n"
    )
    assert verify(conversation=conversation.pk).startswith("Looked at 0 sealed documents, 0 files and 1 tombstone: all")


@pytest.mark.parametrize("step", ["begun", "without objects"])
def test_a_removal_on_its_way_is_no_finding(step: str) -> None:
    conversation = make_old(is_sealed=True)
    begin(conversation)
    if step == "without objects":
        remove_objects(conversation_id=conversation.pk)
    assert "all are as they were" in verify()
    assert list(find_differences(hours=0)) == []
    finish_removal(conversation_id=conversation.pk)


def test_other_systems_are_told_once_of_a_removal_in_ids_and_hashes_alone() -> None:
    conversation = make_old(is_sealed=True)
    sealed = SealedDocument.objects.get(pk=conversation.pk)
    files = sorted(Attachment.objects.values_list("sha256", flat=True))
    begin(conversation)
    remove_objects(conversation_id=conversation.pk)
    assert not Event.objects.filter(kind="conversation.removed").exists()
    for _ in range(2):
        finish_removal(conversation_id=conversation.pk)
    concluded, removed = Event.objects.order_by("seq")
    assert (concluded.kind, removed.kind) == ("conversation.concluded", "conversation.removed")
    assert removed.owner == concluded.owner == conversation.owner
    assert removed.uid != concluded.uid
    tombstone = Tombstone.objects.get()
    assert tombstone.removed_at is not None
    assert removed.data == {
        "conversation": str(conversation.pk),
        "owner": str(conversation.owner_id),
        "removed_at": f"{tombstone.removed_at:%Y-%m-%dT%H:%M:%S.%f}Z",
        "document_sha256": sealed.sha256,
        "file_sha256": files,
    }
    assert list(Event.objects.visible_to(conversation.owner)) == [concluded, removed]
    assert not Event.objects.visible_to(make_user()).exists()


def test_a_removal_that_takes_more_than_a_day_is_named() -> None:
    conversation = make_old()
    begin(conversation)
    Tombstone.objects.update(begun_at=timezone.now() - datetime.timedelta(hours=25))
    assert verify().startswith(f"{conversation.pk} is still being removed, since ")


def test_a_concluded_conversation_that_is_gone_without_a_tombstone_is_named() -> None:
    conversation = make_old(is_sealed=True)
    SealedDocument.objects.all().delete()
    Attachment.objects.all().delete()
    conversation.generations.all().delete()
    Conversation.objects.update(current_leaf=None)
    Message.objects.filter(role="assistant").delete()
    Message.objects.all().delete()
    Conversation.objects.all().delete()
    assert verify().startswith(f"{conversation.pk} is gone, and no tombstone tells why; its event 1 is there\n")


def test_rows_of_a_removed_conversation_are_named() -> None:
    conversation = make_old()
    make_policy(30)
    run_policies()
    Conversation.objects.create(pk=conversation.pk, owner=make_user(), assistant=make_assistant(), title="Back")
    assert verify().startswith(f"{conversation.pk} was removed, and rows of it are there\n")


def test_a_tombstone_with_another_document_than_was_told_is_named() -> None:
    conversation = make_old(is_sealed=True)
    make_policy(30)
    run_policies()
    Event.objects.filter(kind="conversation.concluded").update(data={"document": {"sha256": "0" * 64}})
    assert verify().startswith(f"{conversation.pk} had another sealed document than its event told\n")


@pytest.mark.parametrize("deed", ["changed", "added", "taken away", "all taken away"])
def test_a_tombstone_that_was_tampered_with_is_found(deed: str) -> None:
    make_old()
    make_old()
    make_policy(30)
    run = run_policies()
    if deed == "changed":
        Tombstone.objects.filter(pk=Tombstone.objects.values("pk")[:1]).update(messages=1)
    elif deed == "added":
        tombstone = Tombstone.objects.all()[0]
        tombstone.pk = UUID("01990000-0000-7000-8000-000000000001")
        tombstone.save(force_insert=True)
    elif deed == "all taken away":
        Tombstone.objects.all().delete()
    else:
        Tombstone.objects.filter(pk=Tombstone.objects.values("pk")[:1]).delete()
    assert f"run {run.pk} has other tombstones than audit event" in verify()
