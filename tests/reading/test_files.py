"""Files of the record for reviewers: opened by who may and has said why, and written down."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.test import AsyncClient, Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from accounts.models import User
from audit.models import AuditEvent
from conversations.files import storage
from conversations.models import Attachment, Conversation
from tests.admin.record import make_thread
from tests.factories import PNG, make_file, make_user
from tests.fakes.folder import FilesFolder
from tests.fakes.s3 import FakeS3, use_bucket
from tests.sitting import SittingClient

pytestmark = pytest.mark.django_db(transaction=True)  # a download gives its database connection back


@pytest.fixture(autouse=True)
def folder(settings: Settings, tmp_path: Path) -> FilesFolder:
    return FilesFolder(settings, tmp_path)


@pytest.fixture
def conversation(transactional_db: None) -> Conversation:
    return make_thread()


def _file(conversation: Conversation, **fields: Any) -> Attachment:
    return make_file(conversation.owner, message=conversation.messages.order_by("id")[0], **fields)


def ask(client: Client, name: str, file: Attachment, **headers: str) -> Any:
    """Ask with the cookies of a browser, and read all of the answer into `body`."""

    async def _ask() -> Any:
        browser = AsyncClient(raise_request_exception=False)
        browser.cookies = client.cookies
        response: Any = await browser.get(reverse(f"records:{name}", args=[file.pk]), headers=headers)
        parts = [part async for part in response.streaming_content] if response.streaming else [response.content]
        response.body = b"".join(parts)
        response.close()
        return response

    return async_to_sync(_ask)()


def events() -> list[tuple[str, str, int | None, dict[str, Any]]]:
    rows = AuditEvent.objects.filter(kind__in=["file.read", "conversation.read"]).order_by("seq")
    return [(row.kind, row.object_id, row.subject_id, row.details) for row in rows]


def test_a_reviewer_downloads_a_file_and_that_is_written_down(
    client: SittingClient, conversation: Conversation
) -> None:
    file = _file(conversation, name="lease.png")
    response = ask(client, "file", file)
    assert (response.status_code, response.body) == (200, PNG)
    assert response["Content-Disposition"] == 'attachment; filename="lease.png"'
    assert response["Content-Security-Policy"] == "default-src 'none'; sandbox"
    told = {"conversation": str(conversation.pk), "in_small": False}
    assert events() == [("file.read", str(file.pk), conversation.owner_id, told)]
    assert AuditEvent.objects.get(kind="file.read").reason == "Case 2026-17"
    assert "lease.png" not in str(list(AuditEvent.objects.values()))


def test_a_part_of_a_file_is_written_down_as_well(client: SittingClient, conversation: Conversation) -> None:
    response = ask(client, "file", _file(conversation), Range="bytes=1-3")
    assert (response.status_code, response.body) == (206, PNG[1:4])
    assert len(events()) == 1


def test_a_thumbnail_of_a_transcript_is_told_with_it(client: SittingClient, conversation: Conversation) -> None:
    file = _file(conversation)
    page = client.get(reverse("admin:conversations_conversation_change", args=[conversation.pk])).content.decode()
    assert f'src="{reverse("records:thumbnail", args=[file.pk])}"' in page
    assert f'href="{reverse("records:file", args=[file.pk])}"' in page
    for _ in range(2):
        response = ask(client, "thumbnail", file)
        assert (response.status_code, response["Content-Type"]) == (200, "image/webp")
    details = {"page": 1, "messages": 2, "pictures": 1}
    assert events() == [("conversation.read", str(conversation.pk), conversation.owner_id, details)]


def test_a_thumbnail_without_its_transcript_is_written_down(client: SittingClient, conversation: Conversation) -> None:
    file, other = _file(conversation), make_thread()
    client.get(reverse("admin:conversations_conversation_change", args=[other.pk]))
    assert ask(client, "thumbnail", file).status_code == 200
    told = {"conversation": str(conversation.pk), "in_small": True}
    assert events()[1:] == [("file.read", str(file.pk), conversation.owner_id, told)]


def test_what_is_no_picture_has_no_thumbnail(client: SittingClient, conversation: Conversation) -> None:
    assert ask(client, "thumbnail", _file(conversation, content_type="text/plain")).status_code == 404


def test_files_of_what_its_owner_deleted_are_kept_for_reviewers(
    client: SittingClient, conversation: Conversation
) -> None:
    Conversation.objects.filter(pk=conversation.pk).update(hidden_at=timezone.now())
    assert ask(client, "file", _file(conversation)).status_code == 200


def test_a3_nobody_else_gets_a_file(client: SittingClient, conversation: Conversation) -> None:
    file = _file(conversation)
    for person in (conversation.owner, make_user(), make_user(is_staff=True)):
        client.force_login(person)
        for name in ("file", "thumbnail"):
            response = ask(client, name, file)
            assert response.status_code == 404, name
            assert PNG[:8] not in response.body
    client.logout()
    assert ask(client, "file", file)["Location"].startswith("/accounts/login/?next=/admin/files/")
    assert events() == []


def test_who_may_review_but_is_not_staff_gets_nothing(client: SittingClient, conversation: Conversation) -> None:
    reviewer = User.objects.get(username="reviewer")
    User.objects.filter(pk=reviewer.pk).update(is_staff=False)
    assert ask(client, "file", _file(conversation)).status_code == 404


def test_a_file_asks_for_a_reason_first(reviewer: User, conversation: Conversation) -> None:
    plain, file = Client(), _file(conversation)
    plain.force_login(reviewer)
    for name in ("file", "thumbnail"):
        response = ask(plain, name, file)
        assert (response.status_code, response["Location"].split("?")[0]) == (302, reverse("records:sitting"))
        assert "no-store" in response["Cache-Control"]
    assert events() == []


@pytest.mark.parametrize("state", ["pending", "deleted", "failed"])
def test_a_file_that_is_not_ready_is_not_there(client: SittingClient, conversation: Conversation, state: str) -> None:
    file = _file(conversation)
    Attachment.objects.filter(pk=file.pk).update(state=state, failure="It was gone.")
    assert ask(client, "file", file).status_code == 404
    assert events() == []


def test_an_upload_that_was_never_sent_is_nobody_else_s(client: SittingClient, conversation: Conversation) -> None:
    assert ask(client, "file", make_file(conversation.owner)).status_code == 404


def test_a_file_that_storage_lost_is_named_and_the_transcript_still_read(
    client: SittingClient, conversation: Conversation
) -> None:
    file = _file(conversation)
    storage.delete(file.key)
    assert ask(client, "file", file).status_code == 404
    page = client.get(reverse("admin:conversations_conversation_change", args=[conversation.pk]))
    assert page.status_code == 200
    assert file.key in page.content.decode()  # where it should lie


def test_a_public_bucket_hands_files_out_itself_and_that_is_written_down(
    client: SittingClient, conversation: Conversation, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FakeS3() as s3:
        use_bucket(settings, monkeypatch, s3.environment(s3.make_bucket()))
        settings.AWS_S3_PUBLIC_ENDPOINT_URL = s3.endpoint
        response = ask(client, "file", _file(conversation))
        assert response.status_code == 302
        assert response["Location"].startswith(s3.endpoint)
    assert [event[0] for event in events()] == ["file.read"]
