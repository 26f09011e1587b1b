"""Files that are uploaded and taken back on pages: their chips, the limits, and what each refusal leaves."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from conversations.models import Assistant, Attachment, Conversation
from tests.factories import PNG, make_model
from tests.pages.record import HTMX, text_of
from tests.pages.uploads import chips, file, left, send, upload

pytestmark = pytest.mark.usefixtures("places", "takes_everything")

HOSTILE = "<script>alert(1)</script>\"'&.csv"


def test_an_uploaded_file_comes_back_as_a_chip_to_send(page: Client, owner: User, places: Path) -> None:
    response = upload(page)
    attachment = Attachment.objects.get()
    assert response.status_code == 200
    assert chips(response) == [("ready", "count.csv CSV · 19 B")]
    assert f'name="attachments"\n           value="{attachment.pk}"' in response.content.decode()
    assert (attachment.owner, attachment.state, attachment.message) == (owner, "ready", None)
    assert left(places) == ["files"]


def test_an_image_has_its_thumbnail_on_its_chip(page: Client) -> None:
    body = upload(page, file("dot.png", PNG, "image/png")).content.decode()
    assert f'src="/attachments/{Attachment.objects.get().pk}/thumbnail/"' in body


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("count.csv", b"", "empty"),
        ("program.exe", b"MZ\x90\x00", "exe"),
        ("photo.png", b"<html><script>alert(1)</script></html>", "photo.png"),
        ("large.csv", b"1,2\n" * 250_001, "MB"),
        ("broken.pdf", b"%PDF-1.7\nnothing", "damaged"),
    ],
)
def test_f10_f15_what_cannot_be_used_is_refused_with_a_reason_and_leaves_nothing(
    page: Client, places: Path, settings: Settings, name: str, data: bytes, reason: str
) -> None:
    settings.MAX_FILE_MEGABYTES = 1
    response = upload(page, file(name, data))
    ((state, words),) = chips(response)
    assert (response.status_code, state) == (422, "failed")
    assert words.startswith(name)
    assert reason in words
    assert left(places) == []
    assert not Attachment.objects.exists()


def test_f15_a_file_of_exactly_the_limit_is_taken(page: Client, settings: Settings) -> None:
    settings.MAX_FILE_MEGABYTES = 1
    assert upload(page, file(data=b"1,2\n" * 250_000)).status_code == 200


def test_f9_a_name_is_text_and_nothing_else(page: Client, conversation: Conversation) -> None:
    response = upload(page, file(HOSTILE))
    refused = upload(page, file("<img src=x onerror=alert(1)>.exe"))
    send(page, conversation, Attachment.objects.get().pk)
    shown = page.get(f"/conversations/{conversation.pk}/")
    for answer in (response, refused, shown):
        body = answer.content.decode()
        assert "<script>alert" not in body
        assert "<img src=x" not in body


@pytest.mark.parametrize("data", [{}, {"file": "text"}, {"other": "x"}])
def test_an_upload_without_a_file_is_refused(page: Client, data: dict[str, str]) -> None:
    response = page.post("/attachments/", data, headers=HTMX)
    assert response.status_code == 422
    assert "No file arrived" in text_of(response)


def test_f16_two_hundred_files_in_one_request_are_refused(page: Client, places: Path) -> None:
    data = {"file": [file(f"{number}.csv") for number in range(200)]}
    assert page.post("/attachments/", data).status_code == 400
    assert left(places) == []


def test_s1_storage_that_is_away_is_told_and_the_same_file_may_come_again(
    page: Client, places: Path, settings: Settings
) -> None:
    (places / "files").write_text("A file where the folder should be.")
    response = upload(page)
    ((state, words),) = chips(response)
    assert (response.status_code, state) == (503, "failed")
    assert "Try again" in words
    assert not Attachment.objects.exclude(state="deleted").exists()  # half of it may lie there, and is removed
    (places / "files").unlink()
    assert upload(page).status_code == 200


def test_who_was_signed_out_is_told_so_and_nothing_is_read(places: Path) -> None:
    response = upload(Client())
    assert (response.status_code, response.content) == (401, b"")
    assert left(places) == []


def test_a_file_can_be_taken_back_until_it_is_sent(page: Client, conversation: Conversation) -> None:
    upload(page)
    upload(page)
    unsent, sent = Attachment.objects.all()
    assert send(page, conversation, sent.pk).status_code == 200
    assert page.post(f"/attachments/{unsent.pk}/remove/").status_code == 204
    assert page.post(f"/attachments/{unsent.pk}/remove/").status_code == 404
    assert page.post(f"/attachments/{sent.pk}/remove/").status_code == 404
    unsent.refresh_from_db()
    sent.refresh_from_db()
    assert (unsent.state, sent.state) == ("deleted", "ready")


def test_the_composer_tells_the_limits_before_anything_is_sent(page: Client, assistant: Assistant) -> None:
    response = page.get("/conversations/")
    body = response.content.decode()
    assert "Up to 10 files, 45 MB each: images, PDF" in text_of(response)
    assert 'data-most="10"' in body
    assert 'data-megabytes="45"' in body
    assert 'accept=".png,' in body
    assert 'data-takes="images files"' in body
    assert 'enctype="multipart/form-data"' in body


def test_the_page_says_what_the_model_takes(page: Client, conversation: Conversation) -> None:
    model = make_model()
    model.accepts_images = False
    model.save()
    assert 'data-takes="files"' in page.get(f"/conversations/{conversation.pk}/").content.decode()
